from storage import language_usage as usage
from storage.language_usage import Spent, UsageRow


def row(account="7", task="full", day=20_000, model="tiny", **spent) -> UsageRow:
    values = {"requests": 1, "tokens_in": 100, "tokens_out": 20, "cost": 0.5}
    return UsageRow(
        day=day, account=account, task=task, model=model, spent=Spent(**(values | spent))
    )


async def test_usage_adds_up_by_account_and_task(db):
    async with db.transaction() as tx:
        await usage.add_usage(tx, [row(), row(), row(model="big", requests=2, failed=1)])
        await usage.add_usage(tx, [row(task="chat", cost=0.0), row(account=""), row(day=20_001)])
    async with db.reading() as tx:
        assert await usage.spent_by_account(tx, 20_000) == {
            "": Spent(requests=1, tokens_in=100, tokens_out=20, cost=0.5),
            "7": Spent(requests=5, failed=1, tokens_in=400, tokens_out=80, cost=1.5),
        }
        by_task = await usage.spent_by_task(tx, "7")
        assert {task: one.requests for task, one in by_task.items()} == {"chat": 1, "full": 5}
        assert (await usage.spent_by_task(tx, "7", since=20_001))["full"].tokens == 120
        assert await usage.spent_by_task(tx, "8") == {}
    async with db.transaction() as tx:
        assert await usage.forget_usage(tx, before=20_001) == 4
        assert await usage.spent_by_account(tx, 20_000) == {}


def test_days_are_utc():
    assert usage.day_of(0.0) == 0
    assert usage.day_of(86_399.9) == 0
    assert usage.day_of(86_400.0) == 1
