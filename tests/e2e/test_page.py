"""The playground's page in a real browser, against the real server and a bot on the real client library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.options import PlaygroundOptions

selenium = pytest.importorskip("selenium", reason="SELENIUM IS MISSING: the page was not tested")

from selenium.webdriver.common.keys import Keys  # noqa: E402

from tests.e2e.page_bot import ATTACK, CLIP_SECONDS  # noqa: E402
from tests.e2e.page_browser import CHROMEDRIVER, CHROMIUM, Page  # noqa: E402
from tests.e2e.page_stage import Stage, staged  # noqa: E402

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not (CHROMIUM and CHROMEDRIVER),
        reason="CHROMIUM OR CHROMEDRIVER IS MISSING: the page was not tested",
    ),
]

PHONE = (390, 844)
DESK = (1280, 900)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with staged(PlaygroundOptions(response_seconds=1.0)) as running:
        yield running


@pytest.fixture(scope="module")
def browser(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    page = Page(stage.url, tmp_path_factory.mktemp("profile"))
    yield page
    page.close()


@pytest.fixture
def page(browser: Page, stage: Stage) -> Iterator[Page]:
    """The page as the moderator, in the first channel; at the end the console must be silent."""
    browser.size(*DESK)
    browser.open(user=stage.moderator(), channel=stage.channel("music"), theme="light")
    browser.complaints()
    yield browser
    assert browser.complaints() == []


def play_state(page: Page) -> dict[str, float]:
    find = "const a = document.getElementById('speaker');"
    tell = "return {time: a.currentTime, paused: a.paused, length: a.duration || 0}"
    return dict(page.run(find + tell))


def test_an_empty_channel_says_what_to_do(page: Page, stage: Stage) -> None:
    page.open(user=stage.moderator(), channel=stage.channel("lounge"))
    page.press_words(".empty .button", "Add 3 synthetic listeners")
    page.wait(lambda: len(page.all(".herd-row")) == 3)
    page.press_words(".herd-foot .button", "Remove all")
    page.wait(lambda: not page.all(".herd-row"))
    page.press_words(".empty .button", "Start evolving")
    page.see(".message", "Started")
    page.see(".message .above", "/evolve start")
    assert not page.all(".empty")


def test_clips_play_one_at_a_time_and_survive_an_edit(page: Page, stage: Stage) -> None:
    message = stage.call(stage.bot.post_round("music"))
    row = f"#message-{message}"
    page.wait(lambda: len(page.all(f"{row} .clip")) == 4)
    page.wait(lambda: "0:03" in page.text(f"{row} .clip:nth-child(2) .clip-time"))
    assert page.text(f"{row} .clip:nth-child(2) .clip-name") == "clip-1"
    page.press(f"{row} .clip:nth-child(2) .clip-play")
    page.wait(lambda: play_state(page)["time"] > 0.3)
    assert play_state(page)["length"] == pytest.approx(CLIP_SECONDS, abs=0.2)

    stage.call(stage.bot.rewrite("music", message, "**Round 1**, edited"))
    page.see(f"{row} .markdown", "edited")
    page.see(f"{row} .edited", "(edited)")
    assert not play_state(page)["paused"]
    assert page.all(f"{row} .clip:nth-child(2).is-current")

    page.press(f"{row} .clip:nth-child(3) .clip-play")
    page.wait(lambda: page.all(f"{row} .clip:nth-child(3).is-current"))
    assert len(page.all(".clip.is-current")) == 1
    page.press("#nowplaying [aria-label='Next clip']")
    page.wait(lambda: page.all(f"{row} .clip:nth-child(4).is-current"))
    page.run("document.querySelector(arguments[0]).focus()", f"{row} .clip:nth-child(4) .wave")
    page.keys(" ")
    page.wait(lambda: play_state(page)["paused"])
    page.keys(Keys.HOME, Keys.ARROW_RIGHT)
    page.wait(lambda: play_state(page)["time"] == pytest.approx(1.0, abs=0.1))


def test_a_press_is_answered_to_its_person_only(page: Page, stage: Stage) -> None:
    message = stage.call(stage.bot.post_round("music", "**Round 2**"))
    row = f"#message-{message}"
    page.press(f"{row} .row[data-letter='B'] .button:nth-of-type(5)")
    page.see(".message.is-ephemeral", "You gave clip B a 😍")
    page.see(".message.is-ephemeral", "Only you can see this")

    page.press(".person")
    page.press_words(".menu-item", "Ada")
    page.see(".person", "Ada")
    page.wait(lambda: page.all(f"{row} .clip"))
    assert not page.all(".message.is-ephemeral")

    page.press(".person")
    page.press_words(".menu-item", "moderator")
    page.see(".message.is-ephemeral", "You gave clip B a 😍")
    page.press(".message.is-ephemeral [data-control='dismiss']")
    page.wait(lambda: not page.all(".message.is-ephemeral"))
    page.open(user=stage.moderator(), channel=stage.channel("music"))
    page.wait(lambda: page.all(f"{row} .clip"))
    assert not page.all(".message.is-ephemeral")


def test_buttons_are_walked_with_arrows_and_tell_what_failed(page: Page, stage: Stage) -> None:
    message = stage.call(stage.bot.post_round("music", "**Round 3**"))
    row = f"#message-{message}"
    page.get(f"{row} [data-control='count']")
    page.run("document.querySelector(arguments[0]).focus()", f"{row} .row-letter")
    page.keys(*[Keys.ARROW_DOWN] * 4, Keys.END, Keys.ENTER)
    page.see(f"{row} .markdown", "Pressed 1")
    page.wait(lambda: page.run("return document.activeElement.dataset.control") == "count")
    page.keys(Keys.ARROW_LEFT, Keys.ENTER)
    page.wait(lambda: page.all(f"{row} [data-control='silent'][aria-busy]"))
    page.see(f"{row} .failure", "did not respond")
    assert not page.all(f"{row} [aria-busy]")
    page.press(f"{row} [data-control='next']")
    page.see(".message.is-ephemeral", "Breeding")


def test_a_command_with_options_by_keyboard_alone(page: Page) -> None:
    page.press("#draft")
    page.keys("/compo")
    page.see(".finder-item[aria-selected='true']", "/compose")
    page.keys(Keys.ENTER)
    page.get(".slash input:focus")
    page.keys(Keys.ENTER)
    page.see(".composer-error", "vibe is needed")
    page.keys("rainy")
    page.wait(lambda: len(page.all(".suggestions .option")) == 2)
    page.keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER, Keys.TAB, "99", Keys.ENTER)
    page.see(".composer-error", "bars must be at most 16")
    page.keys(Keys.BACKSPACE, Keys.BACKSPACE, "8", Keys.TAB, "Y", Keys.TAB, Keys.ENTER)
    page.see(".message", "vibe=RAINY MORNING bars=8 loud=True")
    page.see(".message .above", "/compose")
    page.wait(lambda: page.run("return document.activeElement.id") == "draft")
    page.keys("/com", Keys.TAB)
    page.get(".slash")
    page.keys(Keys.ESCAPE)
    page.wait(lambda: not page.all(".slash"))


def test_a_command_for_moderators_is_greyed_for_others(page: Page, stage: Stage) -> None:
    page.press("#draft")
    page.keys("/tidy")
    page.see(".finder-item:not(.is-dim)", "/tidy")
    page.keys(Keys.ENTER, Keys.ENTER)
    page.see(".message.is-ephemeral", "Tidied")
    page.open(user=stage.person("Bix"), channel=stage.channel("music"))
    page.press("#draft")
    page.keys("/tidy")
    page.see(".finder-item.is-dim", "/tidy")


def test_a_form_makes_the_round_trip(page: Page, stage: Stage) -> None:
    message = stage.call(stage.bot.post_round("music", "**Round 4**"))
    page.press(f"#message-{message} [data-control='form']")
    page.see("dialog h2", "Tell us")
    page.keys("x", Keys.ENTER)
    page.see("dialog .composer-error", "Name needs at least 2 letters")
    page.keys("oë")
    page.press("dialog .button-primary")
    page.see(".message.is-ephemeral", "Thanks xoë: as is")
    page.wait(lambda: not page.all("dialog"))
    page.press(f"#message-{message} [data-control='form']")
    page.get("dialog input:focus")
    page.keys(Keys.ESCAPE)
    page.wait(lambda: not page.all("dialog"))


def test_menus_take_one_or_several(page: Page, stage: Stage) -> None:
    message = stage.call(stage.bot.post_menus("music"))
    row = f"#message-{message}"
    page.press(f"{row} [data-control='pick']")
    page.get(".options .option:focus")
    page.keys(Keys.ENTER, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
    page.press_words(".popover .button", "Done")
    page.see(".message.is-ephemeral", "Chosen ['A', 'C']")
    page.press(f"{row} [data-control='who']")
    page.press_words(".options .option", "Bix")
    page.see(".message.is-ephemeral", f"Chosen ['{stage.person('Bix')}']")


def test_files_go_with_messages_and_commands(page: Page, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("twelve bytes")
    page.get(".draft input[type='file']").send_keys(str(note))
    page.see(".above-chip", "note.txt")
    page.press("#draft")
    page.keys("Look", Keys.ENTER)
    page.see(".message .file-card", "12 bytes")
    page.keys("/upload", Keys.ENTER)
    page.get(".slash input[type='file']").send_keys(str(note))
    page.press(".slash [data-run]")
    page.see(".message", "note.txt has 12 bytes")


def test_what_is_unread_is_marked_and_the_bot_can_be_written_to(page: Page, stage: Stage) -> None:
    stage.call(stage.bot.post("lounge", "Over here"))
    page.see(".rail-link.is-unread .count", "1")
    page.press_words(".rail-link", "lounge")
    page.see(".message", "Over here")
    page.wait(lambda: not page.all(".rail-link.is-unread"))
    page.press_words(".rail-link", "Write to the bot")
    page.see(".title", "Tunebreeder")
    page.press("#draft")
    page.keys("Psst", Keys.ENTER)
    page.see(".message .markdown", "Psst")


MARKS = {
    "**b** *i* __u__ ~~s~~ `c`": "<p><strong>b</strong> <em>i</em> <u>u</u> <s>s</s> <code>c</code></p>",
    "snake_case_word ** * 2*3*4": "<p>snake_case_word ** * 2<em>3</em>4</p>",
    "- one\n  - two\nafter": '<ul><li>one</li><li class="md-nested">two</li></ul><p>after</p>',
    "3. c\n4. d": '<ol start="3"><li>c</li><li>d</li></ol>',
    "## H\n-# s": '<h4 class="md-heading">H</h4><p class="md-small">s</p>',
    "> q\n> > r": "<blockquote><p>q\n&gt; r</p></blockquote>",
    "```py\n**x** <b>\n```": "<pre><code>**x** &lt;b&gt;</code></pre>",
    "\\*no\\* <@5> <t:x:R>": '<p>*no* <span class="mention">@Five</span> &lt;t:x:R&gt;</p>',
    "[x](javascript:alert(1))": "<p>[x](javascript:alert(1))</p>",
    "*" * 3000 + "[" * 3000: None,
}


def test_markdown_is_drawn_like_the_chat_draws_it(page: Page) -> None:
    script = """
        const [texts, done] = arguments;
        const names = {user: () => "Five", channel: () => null};
        import("/static/markdown.js").then(({render}) => done(texts.map((text) => {
          const box = document.createElement("div");
          box.append(...render(text, names));
          return box.innerHTML;
        })));
    """
    drawn = page.driver.execute_async_script(script, list(MARKS))
    for text, found in zip(MARKS, drawn, strict=True):
        assert MARKS[text] in (None, found), text


def test_reactions_are_added_and_taken_back(page: Page, stage: Stage) -> None:
    message = stage.call(stage.bot.post("music", "React to this"))
    row = f"#message-{message}"
    page.get(row)
    page.run("document.querySelector(arguments[0]).focus()", f"{row} [data-control='tool-more']")
    page.keys(Keys.ENTER, Keys.ARROW_DOWN, Keys.ENTER)
    page.press(".emoji-choice[aria-label='fire']")
    page.wait(lambda: page.text(f"{row} .reaction[aria-pressed='true']").split() == ["🔥", "1"])
    page.press(f"{row} .reaction")
    page.wait(lambda: not page.all(f"{row} .reaction"))


def test_a_thread_is_opened_and_written_in(page: Page, stage: Stage) -> None:
    message = stage.call(stage.bot.post_round("music", "**Round 5**"))
    page.press(f"#message-{message} [data-control='branch']")
    page.press(f"#message-{message} .thread-card")
    page.see(".title", "A branch")
    page.press("#draft")
    page.keys("Hello thread", Keys.ENTER)
    page.see(".message .markdown", "Hello thread")


def test_message_menu_replies_and_runs_apps(page: Page, stage: Stage) -> None:
    message = stage.call(stage.bot.post("music", "A thing to inspect"))
    more = f"#message-{message} [data-control='tool-more']"
    page.get(more)
    page.run("document.querySelector(arguments[0]).focus()", more)
    page.keys(Keys.ENTER)
    page.press_words(".menu-item", "Inspect")
    page.see(".message.is-ephemeral", f"Inspected {message}")
    page.run("document.querySelector(arguments[0]).focus()", more)
    page.keys(Keys.ENTER)
    page.press_words(".menu-item", "Reply")
    page.keys("Indeed", Keys.ENTER)
    page.see(".message .above", "A thing to inspect")
    page.run("document.querySelector(arguments[0]).focus()", more)
    page.keys(Keys.ENTER)
    page.press_words(".menu-item", "Delete")
    page.wait(lambda: not page.all(f"#message-{message}"))
    page.see(".message .above", "gone")


def test_text_cannot_become_markup(page: Page, stage: Stage) -> None:
    message = stage.call(stage.bot.post("music", ATTACK))
    page.see(f"#message-{message} strong", "bold")
    assert "<script>" in page.text(f"#message-{message} .markdown")
    assert not page.all(f"#message-{message} :is(script, a, .markdown img)")
    page.press(f"#message-{message} .spoiler")
    page.see(f"#message-{message} .spoiler-text", "secret")
    page.press("#draft")
    page.keys("<b onclick='window.hacked=1'>x</b>", Keys.ENTER)
    page.see(".message .markdown", "<b onclick")
    assert page.run("return window.hacked") is None


def test_nothing_is_loaded_from_elsewhere(page: Page, stage: Stage) -> None:
    message = stage.call(stage.bot.post_elsewhere("music"))
    page.see(f"#message-{message} .embed", "A picture from far away")
    loaded = page.run("return performance.getEntriesByType('resource').map(one => one.name)")
    assert loaded
    assert [one for one in loaded if not one.startswith(f"{stage.url}/")] == []


def test_a_phone_shows_everything_without_scrolling_sideways(page: Page, stage: Stage) -> None:
    page.size(*PHONE, touch=True)
    message = stage.call(stage.bot.post_round("music", "**Round 6** " + "long" * 60))
    page.open(user=stage.moderator(), channel=stage.channel("music"))
    page.wait(lambda: len(page.all(f"#message-{message} .clip")) == 4)
    wide = "return Math.max(document.documentElement.scrollWidth, document.querySelector('.scroller').scrollWidth)"
    assert page.run(wide) <= PHONE[0]
    sizes = page.run(
        "return [...document.querySelectorAll(arguments[0])].map(b => [b.offsetWidth, b.offsetHeight])",
        f"#message-{message} .row .button",
    )
    assert len(sizes) == 25
    assert min(min(pair) for pair in sizes) >= 40
    page.press("#rail-toggle")
    page.press_words(".rail-link", "lounge")
    page.see(".title", "lounge")
    page.press("#listeners-toggle")
    page.see(".drawer", "Listeners")
    assert page.run(wide) <= PHONE[0]


def test_the_page_finds_its_way_back_after_a_lost_line(page: Page, stage: Stage) -> None:
    stage.loop.call_soon_threadsafe(stage.server.parts.world.hub.close)
    page.see("#banner", "Lost the playground")
    message = stage.call(stage.bot.post("music", "While you were away"))
    page.see(f"#message-{message}", "While you were away")
    page.wait(lambda: not page.all("#banner:not([hidden])"))


def test_listeners_are_added_and_revealed(page: Page) -> None:
    page.press("#listeners-toggle")
    page.press_words(".herd-form .button", "Add")
    page.wait(lambda: len(page.all(".herd-row")) == 3)
    page.press_words(".herd-foot .button", "Reveal all tastes")
    page.wait(lambda: len(page.all(".herd-row .taste")) == 3)
    page.press_words(".herd-foot .button", "Remove all")
    page.wait(lambda: not page.all(".herd-row"))


def test_whoever_runs_a_command_sees_its_answer(page: Page, stage: Stage) -> None:
    for number in range(6):
        stage.call(stage.bot.post_round("music", f"**Round {number + 60}**"))
    page.see(".message", "Round 65")
    page.size(*PHONE, touch=True)
    page.run(  # the event of its own comes a frame later, and the message may come before that
        "const box = document.querySelector('.scroller');"
        "box.scrollTo(0, 0); box.dispatchEvent(new Event('scroll'))"
    )
    stage.call(stage.bot.post("music", "while you were away"))
    page.wait(lambda: page.run("return !document.querySelector('.pill').hidden"))
    height = (
        "const pill = document.querySelector('.pill'); return [pill.offsetHeight, pill.innerText]"
    )
    assert page.run(height)[0] < 48
    page.press("#draft")
    page.keys("/evolve start", Keys.ENTER)
    page.get(".slash [data-run]:focus")
    page.keys(Keys.ENTER)
    page.see(".message", "Started")
    page.wait(
        lambda: page.run(
            "const box = document.querySelector('.scroller');"
            "return box.scrollHeight - box.scrollTop - box.clientHeight < 60"
        )
    )
