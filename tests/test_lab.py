"""JupyterLab: a notebook is opened and run over the server's own interface, as a browser does.

JupyterLab is kept out of the environment of the tests, which it makes slower; `make lab` puts it beside them.
"""

import asyncio
import json
import os
import secrets
import socket
import subprocess
import time
import urllib.request
import uuid
from pathlib import Path

import nbformat
import pytest
from tornado.websocket import websocket_connect

ROOT = Path(__file__).resolve().parents[1]
JUPYTER = ROOT / ".venv-lab" / ("Scripts/jupyter.exe" if os.name == "nt" else "bin/jupyter")
NOTEBOOK = "notebooks/02_trends.ipynb"
PATIENCE = 180  # seconds


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start JupyterLab on the project without a browser; its settings go to a folder of the test."""
    if not JUPYTER.exists():
        pytest.skip("no .venv-lab: `make lab` installs JupyterLab")
    home, port, token = tmp_path_factory.mktemp("home"), free_port(), secrets.token_hex(16)
    places = ("HOME", "USERPROFILE", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    command = [str(JUPYTER), "lab", "--no-browser", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={ROOT}", "--ServerApp.allow_root=True"]
    left = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")}
    log = home / "log"
    with log.open("wb") as said:
        server = subprocess.Popen(
            command, cwd=ROOT, env=left | dict.fromkeys(places, str(home)), stdout=said, stderr=subprocess.STDOUT
        )
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                ask(f"http://127.0.0.1:{port}", token, "/api/status")
                break
            except OSError:
                assert server.poll() is None and time.monotonic() < until, log.read_text(encoding="utf-8")[-3000:]
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}", token
    finally:
        server.terminate()
        server.wait(30)


def ask(server: str, token: str, path: str, body: dict | None = None, method: str | None = None) -> str:
    """Return what the server answers."""
    headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(server + path, data, headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through a proxy: it is this machine
    with opener.open(request, timeout=60) as answer:
        return answer.read().decode("utf-8")


async def run_cells(server: str, token: str, kernel: str, sources: list[str]) -> list[tuple[str, str]]:
    """Run cells one after another; return for each how it ended and what it printed."""
    address = f"{server.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels?token={token}"
    channel = await websocket_connect(address, max_message_size=100 * 2**20)
    ended = []
    for source in sources:
        mine = uuid.uuid4().hex
        header = {"msg_id": mine, "msg_type": "execute_request", "username": "", "session": kernel, "version": "5.3"}
        content = {"code": source, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        await channel.write_message(json.dumps(message))
        printed, how, idle = "", "", False
        while not (how and idle):
            got = await asyncio.wait_for(channel.read_message(), PATIENCE)
            assert got is not None, "the server closed the channel"
            answer = json.loads(got)
            if answer["parent_header"].get("msg_id") != mine:
                continue
            kind, content = answer["msg_type"], answer["content"]
            printed += content["text"] if kind == "stream" and content["name"] == "stdout" else ""
            how = content["status"] + content.get("evalue", "") if kind == "execute_reply" else how
            idle = idle or (kind == "status" and content["execution_state"] == "idle")
        ended.append((how, printed))
    channel.close()
    return ended


@pytest.mark.slow
def test_the_page_of_jupyterlab_answers(lab):
    assert "JupyterLab" in ask(*lab, "/lab")
    listed = json.loads(ask(*lab, "/api/contents/notebooks"))["content"]
    assert {path.name for path in (ROOT / "notebooks").glob("*.ipynb")} <= {item["name"] for item in listed}


@pytest.mark.slow
def test_a_notebook_runs_in_jupyterlab(lab):
    """Every cell ends well, and the marked one prints the table that is stored in the notebook."""
    opened = nbformat.from_dict(json.loads(ask(*lab, f"/api/contents/{NOTEBOOK}"))["content"])
    cells = [cell for cell in opened.cells if cell.cell_type == "code"]
    kernel = json.loads(ask(*lab, "/api/kernels", {"name": "python3", "path": NOTEBOOK}))["id"]
    try:
        ended = asyncio.run(run_cells(*lab, kernel, [cell.source for cell in cells]))
    finally:
        ask(*lab, f"/api/kernels/{kernel}", method="DELETE")
    assert [how for how, _ in ended] == ["ok"] * len(cells)
    stored = nbformat.read(ROOT / NOTEBOOK, as_version=4).cells
    tables = ["".join(out.text for out in cell.outputs) for cell in stored
              if "nbval-check-output" in cell.metadata.get("tags", [])]  # fmt: skip
    (at,) = [i for i, cell in enumerate(cells) if "nbval-check-output" in cell.metadata.get("tags", [])]
    assert [ended[at][1]] == tables
    assert tables[0].count("\n") > 10
