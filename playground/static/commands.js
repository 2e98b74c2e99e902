/** The bot's commands as the slash bar needs them: flat, findable, with what each option takes. */

const SUB = 1;
const GROUP = 2;
export const OPTION = { STRING: 3, INTEGER: 4, BOOLEAN: 5, USER: 6, CHANNEL: 7, ROLE: 8, MENTIONABLE: 9, NUMBER: 10, ATTACHMENT: 11 };
export const COMMAND = { SLASH: 1, USER: 2, MESSAGE: 3 };

// What an ordinary member may do: see, write, react, attach, use commands and threads, speak.
const MEMBER = 0x400n | 0x800n | 0x40n | 0x4000n | 0x8000n | 0x10000n | 0x80000000n | 0x4000000000n | 0x800000000n | 0x1000000000n | 0x100000n | 0x200000n;

/** Whether the person may use a command, as far as its default permissions say. */
export function isAllowed(command, user) {
  const needed = command.default_member_permissions;
  if (needed === null || needed === undefined || user?.moderator) return true;
  const bits = BigInt(needed);
  return bits !== 0n && (bits & ~MEMBER) === 0n;
}

/** Every slash command with its subcommands: [{name, path, words, description, options, command}]. */
export function flatten(commands) {
  return commands.filter((command) => (command.type ?? COMMAND.SLASH) === COMMAND.SLASH).flatMap((command) => leaves(command, command.options ?? [], [], command.description));
}

function leaves(command, options, path, description) {
  const inner = options.filter((option) => option.type === SUB || option.type === GROUP);
  if (!inner.length) {
    return [{ name: command.name, path, words: [command.name, ...path].join(" "), description, options, command }];
  }
  return inner.flatMap((option) => leaves(command, option.options ?? [], [...path, option.name], option.description));
}

/** Commands of the message (3) or person (2) menu. */
export const ofType = (commands, type) => commands.filter((command) => command.type === type);

/**
 * Those that fit what was typed after "/", best first. A full command followed by more words fits too;
 * those words come back as `tail`.
 */
export function search(entries, typed) {
  const query = typed.toLowerCase().replace(/\s+/g, " ").trimStart();
  const scored = [];
  for (const entry of entries) {
    const words = entry.words.toLowerCase();
    if (query.startsWith(`${words} `)) scored.push([0 - words.length, entry, typed.replace(/\s+/g, " ").trimStart().slice(words.length).trim()]);
    else if (words.startsWith(query.trimEnd())) scored.push([1, entry, ""]);
    else if (words.includes(query.trimEnd())) scored.push([2, entry, ""]);
    else if (query.length > 2 && entry.description?.toLowerCase().includes(query.trimEnd())) scored.push([3, entry, ""]);
  }
  return scored.sort((left, right) => left[0] - right[0]).map(([, entry, tail]) => ({ entry, tail }));
}

/** Read `name:value` pairs; words before the first pair go to the first option that takes text. */
export function readTail(tail, options) {
  const values = {};
  if (!tail) return values;
  const names = options.map((option) => option.name.replace(/[^\w-]/g, "")).filter(Boolean);
  const pattern = names.length ? new RegExp(`(?:^|\\s)(${names.join("|")}):\\s*`, "g") : /$^/g;
  const marks = [...tail.matchAll(pattern)];
  const loose = tail.slice(0, marks[0]?.index ?? tail.length).trim();
  const [first] = options.filter((option) => option.type === OPTION.STRING);
  if (loose && first) values[first.name] = loose;
  marks.forEach((mark, index) => {
    values[mark[1]] = tail.slice(mark.index + mark[0].length, marks[index + 1]?.index ?? tail.length).trim();
  });
  return values;
}
