"""The endpoint as a ClickHouse server, seen through plain HTTP and through clickhouse-connect."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import clickhouse_connect
import cramjam
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_connect.driver.httputil import get_pool_manager
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import eventually
from tests.telemetry.conftest import SECRET
from watchkeeper.telemetry.endpoint import Endpoint
from watchkeeper.telemetry.engine import EngineError

KEY = {"X-ClickHouse-User": "watchkeeper", "X-ClickHouse-Key": SECRET}
Answer = tuple[int, dict[str, str], bytes]


def ask(
    endpoint: Endpoint, body: bytes | Iterator[bytes] = b"", headers: dict[str, str] | None = None,
    method: str = "POST", path: str = "/", **arguments: str,
) -> Answer:  # fmt: skip
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=20)
    try:
        target = f"{path}?{urlencode(arguments, quote_via=quote)}" if arguments else path
        connection.request(method, target, body, KEY if headers is None else headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
    finally:
        connection.close()


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[Client]:
    pool = get_pool_manager()
    made = clickhouse_connect.get_client(
        host="127.0.0.1", port=endpoint.port, username="watchkeeper", password=SECRET, pool_mgr=pool,
        autogenerate_session_id=False,
    )  # fmt: skip
    made.command(
        "CREATE OR REPLACE TABLE t (a UInt64, b String, m Map(String, String)) ENGINE = MergeTree ORDER BY a"
    )
    yield made
    made.close()
    pool.clear()


def test_ping_needs_no_secret_and_all_else_does(endpoint: Endpoint) -> None:
    assert ask(endpoint, headers={}, method="GET", path="/ping")[::2] == (200, b"Ok.\n")
    for headers in (
        {},
        KEY | {"X-ClickHouse-Key": "wrong"},
        {"Authorization": "Basic !"},
        {"X-ClickHouse-User": "x"},
    ):
        status, answered, text = ask(endpoint, b"SELECT 1", headers)
        assert (status, answered["X-ClickHouse-Exception-Code"]) == (403, "516"), text
    assert ask(endpoint, b"SELECT 1", {}, user="watchkeeper", password=SECRET)[0] == 200
    assert ask(endpoint, b"SELECT 1", path="/other")[0] == 404
    with pytest.raises(ValueError, match="secret"):
        Endpoint(Path("x"), "")


def test_a_query_has_parameters_settings_and_a_format(endpoint: Endpoint) -> None:
    status, headers, body = ask(
        endpoint, b"SELECT {n:UInt8} + 1 AS n, {s:String} AS s, getSetting('max_threads') AS t FORMAT JSONEachRow",
        param_n="41", param_s="it's\\ta \\\\ tab", max_threads="3",
    )  # fmt: skip
    assert (status, headers["X-ClickHouse-Format"]) == (200, "JSONEachRow")
    assert json.loads(body) == {"n": 42, "s": "it's\ta \\ tab", "t": 3}
    assert int(json.loads(headers["X-ClickHouse-Summary"])["read_rows"]) == 1
    assert ask(endpoint, b"SELECT 1, 'x'", default_format="CSV")[2] == b'1,"x"\n'
    assert ask(endpoint, b"", method="GET", query="SELECT 1")[2] == b"1\n"
    assert ask(endpoint, b"number FROM numbers(2)", query="SELECT")[2] == b"0\n1\n"


def test_settings_last_no_longer_than_their_request(endpoint: Endpoint) -> None:
    ask(endpoint, b"SET max_threads = 7")
    for _ in range(8):
        ask(endpoint, b"SELECT 1", max_block_size="77")
        answer = ask(endpoint, b"SELECT getSetting('max_block_size'), getSetting('max_threads')")[2]
        assert answer.split()[0] != b"77" and answer.split()[1] != b"7"
    ask(endpoint, b"CREATE TABLE IF NOT EXISTS w (a UInt8) ENGINE = Memory")
    answer = ask(endpoint, b"INSERT INTO w SELECT getSetting('max_threads')")
    assert answer[0] == 200 and ask(endpoint, b"SELECT count() FROM w WHERE a = 7")[2] == b"0\n"


@pytest.mark.parametrize(
    ("sql", "arguments", "status", "code"),
    [
        (b"SELECT * FROM nowhere", {}, 404, 60),
        (b"SELEC 1", {}, 400, 62),
        (b"", {}, 400, 62),
        (b"SELECT 1; DROP TABLE t", {}, 400, 62),
        (b"SELECT 1", {"database": "nowhere"}, 404, 81),
        (b"SELECT 1", {"no_such_setting": "1"}, 404, 115),
        (b"SELECT 1", {"1; DROP": "1"}, 404, 115),
        (b"SELECT {x:UInt8}", {"param_x": "many"}, 400, 457),
        (b"SELECT {x:UInt8}", {}, 400, 456),
        (b"SELECT sum(cityHash64(number)) FROM numbers(100000000000)", {"max_execution_time": "1"}, 408, 159),
        (b"SELECT 1", {"compress": "1"}, 501, 48),
    ],
)
def test_errors_come_as_clickhouse_sends_them(
    endpoint: Endpoint, sql: bytes, arguments: dict[str, str], status: int, code: int
) -> None:
    got, headers, text = ask(endpoint, sql, **arguments)
    assert (headers["X-ClickHouse-Exception-Code"], got) == (str(code), status), text
    assert text.startswith(b"Code: %d. DB::Exception: " % code)


def test_nothing_of_a_failed_query_is_left_for_the_next(endpoint: Endpoint) -> None:
    failing = b"SELECT number, match('a', concat('(', toString(number))) FROM numbers(9)"
    for form in ("Arrow", "CSVWithNames"):
        for _ in range(6):
            assert ask(endpoint, failing, default_format=form)[0] >= 400
            status, _, answer = ask(endpoint, b"SELECT ';' AS a -- ; and no second;\n;", default_format=form)
            assert status == 200
            if form == "Arrow":
                assert pa.ipc.open_file(answer).read_all().to_pylist() == [{"a": ";"}]
            else:
                assert answer == b'"a"\n";"\n'


def test_get_changes_nothing(endpoint: Endpoint) -> None:
    status, headers, _ = ask(endpoint, method="GET", query="CREATE TABLE g (a UInt8) ENGINE = Memory")
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (403, "164")
    assert ask(endpoint, b"EXISTS g")[2] == b"0\n"


def test_rows_are_inserted_from_bodies_of_every_kind(endpoint: Endpoint, client: Client) -> None:
    rows = b"".join(b"%d,x\n" % n for n in range(1000))
    insert = "INSERT INTO t (a, b) FORMAT CSV"
    lz4, zstd = bytes(cramjam.lz4.compress(rows)), bytes(cramjam.zstd.compress(rows))
    whole = insert.encode() + b"\n" + rows
    for body, encoding, query in (
        (rows, "", insert), (whole, "", ""), (gzip.compress(rows), "gzip", insert), (lz4, "lz4", insert),
        (zstd, "zstd", insert), (gzip.compress(whole), "gzip", ""), (iter([whole[:500], whole[500:]]), "", ""),
        (b" -- a comment\nINSERT INTO t (a, b) SETTINGS max_threads = 1 FORMAT CSV " + rows, "", ""),
    ):  # fmt: skip
        client.command("TRUNCATE TABLE t")
        headers = KEY | ({"Content-Encoding": encoding} if encoding else {})
        arguments = {"query": query} if query else {}
        status, answered, text = ask(endpoint, body, headers, **arguments)
        assert (status, json.loads(answered["X-ClickHouse-Summary"])["written_rows"]) == (200, "1000"), text
        assert client.command("SELECT count(), sum(a) FROM t") == ["1000", "499500"]
    assert ask(endpoint, b"INSERT INTO t (a, b) VALUES (1, 'FORMAT CSV\n')")[0] == 200
    assert ask(endpoint, b"INSERT INTO t (a) SELECT 5")[0] == 200


def test_an_insert_that_the_table_refuses_is_an_error(endpoint: Endpoint, client: Client) -> None:
    client.command(
        "CREATE OR REPLACE TABLE few (a UInt8, CONSTRAINT few CHECK a < 5) ENGINE = MergeTree ORDER BY a"
    )
    assert ask(endpoint, b"1\n2\n", query="INSERT INTO few FORMAT CSV")[0] == 200
    status, headers, _ = ask(endpoint, b"3\n9\n", query="INSERT INTO few FORMAT CSV")
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (500, "469")
    assert client.command("SELECT count() FROM few") == 2


def test_broken_bodies_insert_nothing_and_harm_nobody(endpoint: Endpoint, client: Client) -> None:
    query = quote("INSERT INTO t (a, b) FORMAT CSV")
    head = f"POST /?query={query} HTTP/1.1\r\nHost: x\r\nX-ClickHouse-User: watchkeeper\r\nX-ClickHouse-Key: {SECRET}"
    for rest in (
        "Content-Length: 100\r\n\r\n1,x\n",
        "Content-Length: -5\r\n\r\n1,x\n",
        "Content-Length: 999999999999\r\n\r\n1,x\n",
        "Transfer-Encoding: chunked\r\n\r\n4\r\n1,x\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n1,x\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n1,x\n\r\n",
        "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n1,x\n",
        "Content-Encoding: nonsense\r\nContent-Length: 4\r\n\r\n1,x\n",
        "Content-Length: 4\r\n\r\nx,1\n",
    ):
        with socket.create_connection(("127.0.0.1", endpoint.port), timeout=10) as s:
            s.sendall(f"{head}\r\n{rest}".encode())
            s.shutdown(socket.SHUT_WR)
            assert s.recv(100).split()[1].startswith((b"4", b"5")), rest
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=10) as s:
        s.sendall(b"\x16\x03\x01\x02\x00 no http\r\n\r\n" * 10)
        assert b"400" in s.recv(4096)
    assert client.command("SELECT count() FROM t") == 0


def test_a_client_that_hangs_up_harms_nobody(endpoint: Endpoint, client: Client) -> None:
    text = "INSERT INTO t (a, b) SELECT 1, toString(sleep(0.3))"
    head = f"POST / HTTP/1.1\r\nHost: x\r\nX-ClickHouse-User: watchkeeper\r\nX-ClickHouse-Key: {SECRET}\r\n"
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", endpoint.port)) as s:
            s.sendall(f"{head}Content-Length: {len(text)}\r\n\r\n{text}".encode())
    eventually(lambda: client.command("SELECT count() FROM t") == 3)


def test_reads_go_on_beside_writes_and_each_other(endpoint: Endpoint, client: Client) -> None:
    slow = threading.Thread(target=ask, args=(endpoint, b"INSERT INTO t (a) SELECT sleep(2)"))
    slow.start()
    time.sleep(0.2)
    began = time.monotonic()
    readers = [threading.Thread(target=ask, args=(endpoint, b"SELECT sleep(0.5)")) for _ in range(3)]
    for r in readers:
        r.start()
    assert client.command("SELECT count() FROM t") == 0
    for r in readers:
        r.join()
    assert slow.is_alive(), f"{time.monotonic() - began} s"
    slow.join()
    assert client.command("SELECT count() FROM t") == 1


def test_a_session_is_taken_while_a_body_is_on_its_way(endpoint: Endpoint, client: Client) -> None:
    head = (
        f"POST /?session_id=slow HTTP/1.1\r\nHost: x\r\nX-ClickHouse-User: watchkeeper\r\n"
        f"X-ClickHouse-Key: {SECRET}\r\nContent-Length: 1000\r\n\r\nINSERT INTO t (a) FORMAT CSV\n"
    )
    with socket.create_connection(("127.0.0.1", endpoint.port)) as s:
        s.sendall(head.encode())
        locked = lambda: ask(endpoint, b"SELECT 1", session_id="slow")[0] == 500  # noqa: E731
        eventually(locked)
    eventually(lambda: not locked())
    assert client.command("SELECT count() FROM t") == 0


def test_a_session_runs_one_statement_at_a_time(endpoint: Endpoint) -> None:
    slow = threading.Thread(target=ask, args=(endpoint, b"SELECT sleep(1)"), kwargs={"session_id": "one"})
    slow.start()
    time.sleep(0.3)
    assert ask(endpoint, b"SELECT 1", session_id="one")[1]["X-ClickHouse-Exception-Code"] == "373"
    assert ask(endpoint, b"SELECT 1", session_id="two")[0] == 200
    slow.join()
    assert ask(endpoint, b"SELECT 1", session_id="one")[0] == 200


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip"])
def test_clickhouse_connect_works_unchanged(endpoint: Endpoint, compress: str | bool) -> None:
    pool = get_pool_manager()
    other = clickhouse_connect.get_client(
        host="127.0.0.1", port=endpoint.port, username="watchkeeper", password=SECRET, compress=compress, pool_mgr=pool
    )  # fmt: skip
    rows = [[n, f"row {n}", {"n": str(n)}] for n in range(5000)]
    assert other.insert("t", rows, column_names=["a", "b", "m"]).written_rows == 5000
    other.insert_arrow("t", pa.table({"a": pa.array([9000], pa.uint64()), "b": ["é"]}))
    assert other.query("SELECT a, b, m FROM t ORDER BY a LIMIT 1 OFFSET 17").result_rows == [
        (17, "row 17", {"n": "17"})
    ]
    assert other.query_arrow("SELECT b FROM t WHERE a = 9000").to_pylist() == [{"b": "é"}]
    assert other.query_arrow("SELECT b FROM t WHERE a = 9001").schema.names == ["b"]
    assert other.query("SELECT a, b FROM t LIMIT 0").column_names == ("a", "b")
    with other.query_rows_stream("SELECT a FROM t") as stream:
        assert sum(1 for _ in stream) == 5001
    ids = list(range(20_000))  # too long for a URL, so it comes as a form
    assert other.query("SELECT count() FROM t WHERE a IN {ids:Array(UInt64)}", {"ids": ids}).result_rows == [
        (5001,)
    ]
    with pytest.raises(DatabaseError) as refused:
        other.query("SELECT * FROM nowhere")
    assert refused.value.code == 60
    assert other.ping()
    other.close()
    pool.clear()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\0")), numbers=st.lists(st.integers(0, 2**64 - 1)),
    words=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"))),
)  # fmt: skip
def test_parameters_arrive_as_they_are(
    client: Client, text: str, numbers: list[int], words: list[str]
) -> None:
    found = client.query(
        "SELECT {t:String}, {n:Array(UInt64)}, {w:Array(String)}", {"t": text, "n": numbers, "w": words}
    )
    assert found.result_rows == [(text, numbers, words)]


@pytest.mark.usefixtures("endpoint")
def test_one_process_opens_one_folder(tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        Endpoint(tmp_path / "other", SECRET).start()
    with pytest.raises(EngineError, match=r"\?"):
        Endpoint(tmp_path / "what?", SECRET).start()
    Endpoint(tmp_path, SECRET).stop()
