"""Installs the peers and says what is there: `python -m benchmarks.peers`."""

from __future__ import annotations

from benchmarks.peers.installation import Peer, install, installed


def main() -> None:
    """Install what is missing; print a line for each peer."""
    print("Installing what the benchmarks compare with, into .venv-peers (once) ...", flush=True)
    install()
    for name, peer in installed().items():
        print(f"{name:20} {'there' if isinstance(peer, Peer) else f'absent: {peer.reason}'}")


if __name__ == "__main__":
    main()
