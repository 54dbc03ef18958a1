"""What a developer would write by hand instead: httpx and COPY. Run as its own process; prints its cost."""

import asyncio
import json
import resource
import sys
import time
from datetime import UTC, datetime

import asyncpg
import httpx


async def sweep(url: str, token: str, dsn: str, limit: int) -> int:
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS by_hand (mdn text, series text, at timestamptz, value bigint)"
    )
    at, offset = datetime.now(UTC), 0
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {token}"}) as client:
        while True:
            query = {"offset": str(offset), "limit": str(limit), "sort": "MDN", "sortDir": "ASC"}
            page = (await client.get(f"{url}/v1.0/devices/5001", params=query)).raise_for_status().json()
            rows = []
            for d in page["devices"]:
                rows.append((d["mdn"], "day", at, round(d["dayAmountUsed"] * 1_000_000)))
                rows.append((d["mdn"], "cycle", at, round(d["monthlyAmountUsed"] * 1_000_000)))
                rows.append((d["mdn"], "last_30_days", at, round(d["last30DaysUsed"] * 1_000_000)))
                rows.append((d["mdn"], d["status"], at, int(d["onlineStatus"])))
            await connection.copy_records_to_table("by_hand", records=rows)
            offset += len(page["devices"])
            if offset >= page["totalCount"]:
                return offset


if __name__ == "__main__":
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    lines = asyncio.run(sweep(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "lines": lines,
                "seconds": time.perf_counter() - began,
                "cpu": used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime,
                "peak_mb": used.ru_maxrss / 1024,
            }
        )
    )
