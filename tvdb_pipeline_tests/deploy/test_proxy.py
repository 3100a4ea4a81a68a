"""The examples of a proxy before the UI: they are well formed, and leave no way around the log-in."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tvdb_pipeline.settings import Settings, project_root

PROXY = project_root() / "deploy" / "proxy"
Block = list[tuple[list[str], "Block | None"]]
"""nginx: each directive with its words, and what stands in its braces, if it has some."""


def block(tokens: list[str]) -> Block:
    """Read up to the brace that closes this block."""
    found: Block = []
    words: list[str] = []
    while tokens:
        token = tokens.pop(0)
        if token == ";":
            assert words, "a semicolon that ends nothing"
            found.append((words, None))
            words = []
        elif token == "{":
            found.append((words, block(tokens)))
            words = []
        elif token == "}":
            break
        else:
            words.append(token)
    assert not words, f"not ended: {words}"
    return found


@pytest.fixture(scope="module")
def nginx() -> Block:
    text = re.sub(r"^\s*#.*$", "", (PROXY / "nginx.conf").read_text(), flags=re.MULTILINE)
    assert text.count("{") == text.count("}")
    return block(re.findall(r"'[^']*'|\"[^\"]*\"|[{};]|[^\s{};]+", text))


def said(inside: Block, name: str) -> list[list[str]]:
    return [words[1:] for words, _ in inside if words[0] == name]


def ui(nginx: Block) -> Block:
    """The server that passes requests on."""
    (found,) = [inside for words, inside in nginx if words == ["server"] and inside and "location" in str(inside)]
    return found


def test_nginx_asks_who_is_there_wherever_it_passes_requests_to_the_ui(nginx: Block) -> None:
    settings = Settings()  # pyright: ignore[reportCallIssue]
    target = f"http://{settings.webserver_host}:{settings.webserver_port}"
    places = {" ".join(words[1:]): inside or [] for words, inside in ui(nginx) if words[0] == "location"}
    to_the_ui = [inside for inside in places.values() if said(inside, "proxy_pass") == [[target]]]
    assert len(to_the_ui) == 1
    assert said(to_the_ui[0], "auth_request") == [["/oauth2/auth"]]
    assert said(places["= /oauth2/auth"], "internal") == [[]]
    assert places["/"] is to_the_ui[0], "what no other place takes goes there"


def test_nginx_passes_websockets_on_and_refuses_other_sites_and_names(nginx: Block) -> None:
    (place,) = [inside or [] for words, inside in ui(nginx) if words == ["location", "/"]]
    headers = dict(said(place, "proxy_set_header"))
    assert (headers["Upgrade"], headers["Connection"]) == ("$http_upgrade", "$tvdb_connection")
    assert said(place, "proxy_http_version") == [["1.1"]]
    (refusing,) = [inside for words, inside in place if words == ["if", "($tvdb_foreign)"]]
    assert refusing == [(["return", "403"], None)]
    servers = [inside or [] for words, inside in nginx if words == ["server"]]
    (default,) = [inside for inside in servers if any("default_server" in words for words in said(inside, "listen"))]
    assert said(default, "ssl_reject_handshake") == [["on"]]
    assert all("ssl" in words for words in said(ui(nginx), "listen"))


def test_the_log_in_listens_on_this_machine_lets_one_group_in_and_holds_no_secret() -> None:
    given = tomllib.loads((PROXY / "oauth2-proxy.cfg").read_text())
    assert given["http_address"].startswith("127.0.0.1:")
    assert given["allowed_groups"]
    assert given["cookie_secure"] is given["cookie_httponly"] is given["set_xauthrequest"] is True
    assert not [name for name in given if "secret" in name]


def test_the_caddyfile_asks_for_a_password_before_it_passes_anything_on() -> None:
    text = (PROXY / "Caddyfile").read_text()
    assert text.count("{") == text.count("}")
    assert re.search(r"^\tbasic_auth \{$", text, re.MULTILINE), "for all paths"
    assert re.findall(r"reverse_proxy (\S+)", text) == ["127.0.0.1:3000"]


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not on this machine")
def test_nginx_accepts_the_example(tmp_path: Path) -> None:
    text = (PROXY / "nginx.conf").read_text()
    key, certificate = tmp_path / "tvdb.key", tmp_path / "tvdb.pem"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=tvdb"]
    subprocess.run([*request, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    text = text.replace("/etc/nginx/tls/", f"{tmp_path}/").replace("/var/log/nginx/", f"{tmp_path}/")
    whole = tmp_path / "nginx.conf"
    whole.write_text(f"pid {tmp_path}/pid; error_log stderr;\nevents {{}}\nhttp {{\n{text}\n}}\n")
    done = subprocess.run(["nginx", "-t", "-c", str(whole)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is not on this machine")
def test_caddy_accepts_the_example() -> None:
    command = ["caddy", "adapt", "--config", str(PROXY / "Caddyfile"), "--adapter", "caddyfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
