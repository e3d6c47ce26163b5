"""DBOS, on the same PostgreSQL, in its own schema. Run by a Python that has `dbos` and `psycopg[binary]`."""

import os
import signal
import threading
from importlib.metadata import version
from typing import Any

import psycopg
from dbos import DBOS, DBOSClient

from benchmarks.marks import notes
from benchmarks.peers.serve import serve, timed

QUEUE = "bench"
URL = os.environ["BENCH_PEER_DATABASE"]


@DBOS.workflow(name="mark")
def mark(name: str) -> None:
    notes.note(name)


@DBOS.workflow(name="doze")
def doze(name: str, works: float) -> None:
    notes.doze(name, works)


def launch(executor: str) -> None:
    DBOS(
        config={
            "name": "bench",
            "system_database_url": URL,
            "application_version": "1",
            "executor_id": executor,
            "log_level": "WARNING",
        }
    )
    DBOS.launch()
    DBOS.register_queue(QUEUE)


def work() -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    launch(f"worker-{os.getpid()}")
    stop.wait()
    os._exit(0)  # as quick as the others: it would wait for its threads


def commands() -> dict[str, Any]:
    launch("client")  # makes the tables
    DBOS.destroy()
    client = DBOSClient(system_database_url=URL)
    admin = psycopg.connect(URL, autocommit=True)

    def put(workflow: str, *values: Any) -> None:
        client.enqueue({"queue_name": QUEUE, "workflow_name": workflow}, *values)

    def put_many(names: list[str]) -> None:
        for name in names:
            put("mark", name)

    def empty() -> None:
        admin.execute("TRUNCATE dbos.workflow_status CASCADE")
        admin.execute("VACUUM ANALYZE dbos.workflow_status")

    return {
        "version": lambda: version("dbos"),
        "put": timed(lambda name: put("mark", name)),
        "put_many": put_many,
        "doze": timed(lambda name, works: put("doze", name, works)),
        "empty": empty,
    }


if __name__ == "__main__":
    serve(work, commands)
