"""The graph of a chat turn as a page of the documentation: `make graph` writes it, a test keeps it true."""

from __future__ import annotations

from pathlib import Path

from functions.chat.graph import act, ask, extract, turn_graph, verify

PAGE = Path(__file__).parents[2] / "docs" / "chat-graph.md"


def drawn() -> str:
    """The page: the compiled graph in Mermaid, and what each node says about itself."""
    diagram = turn_graph().get_graph().draw_mermaid(with_styles=False)
    told = ((node.__name__, " ".join((node.__doc__ or "").split())) for node in (extract, verify, act, ask))
    nodes = "\n".join(f"- `{name}`: {text}" for name, text in told)
    return (
        "# The graph of a chat turn\n\n"
        "Drawn from the compiled graph by `make graph`; do not edit.\n\n"
        f"```mermaid\n{diagram.strip()}\n```\n\n{nodes}\n"
    )


if __name__ == "__main__":
    PAGE.write_text(drawn(), "utf-8")
