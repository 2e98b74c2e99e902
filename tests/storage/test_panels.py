import pytest

from domain.errors import NotFoundError
from storage import panels
from tests.storage.samples import ALICE, CHANNEL, GUILD


async def test_a_panel_is_kept_changed_and_forgotten(db):
    async with db.transaction() as tx:
        made = await panels.add_panel(tx, GUILD, CHANNEL, ALICE, {"energy": 0.4}, 10.0)
        assert await panels.panel(tx, made.id) == made
        changed = await panels.save_panel(tx, made.id, {"energy": 0.6}, 20.0)
        assert changed.state == {"energy": 0.6}
        assert changed.listener_id == ALICE
        assert await panels.forget_panels(tx, before=20.0) == 0
        assert await panels.forget_panels(tx, before=21.0) == 1
        with pytest.raises(NotFoundError, match="/mood opens a new one"):
            await panels.panel(tx, made.id)
        again = await panels.add_panel(tx, GUILD, CHANNEL, ALICE, {}, 30.0)
        assert again.id > made.id
