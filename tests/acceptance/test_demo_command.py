"""The demo keeps to itself: no real district, no environment and no configuration are its business."""

import asyncpg
import pytest

from service import config, errors
from service.demo import stage


async def test_the_demo_refuses_a_real_districts_database(pool: asyncpg.Pool) -> None:
    await pool.execute("INSERT INTO districts (district_id, name, time_zone) VALUES (1, 'Northfield', 'UTC')")
    with pytest.raises(errors.ConfigError, match="real district"):
        async with stage.staged(pool):
            pass
    assert await pool.fetchval("SELECT name FROM districts") == "Northfield"


def test_a_constructed_configuration_does_not_listen_to_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AFTERBELL_DATABASE__URL", "postgresql://elsewhere/production")
    monkeypatch.setenv("AFTERBELL_WEB__PORT", "9")
    made = config.Config.model_construct(web=config.Web(port=8080))
    assert (made.database.url, made.web.port, made.districts) == (None, 8080, ())
