"""AWS Lambda entry point: the pharmacy agent."""

from functions.chat.graph import turn_graph
from functions.chat.routes import chat_problem, router
from functions.chat.tracing import get_sender
from functions.chat.understanding.choosing import get_interpreters
from shared.http import create_app, lambda_handler
from shared.snapshot import survive_snapshots

# While the environment starts, not in the first patient's turn.
turn_graph()
get_sender()

app = create_app("chat", router, render_problem=chat_problem)
handler = lambda_handler(app)

# Both hold keys that may have been rotated since.
survive_snapshots(get_sender.cache_clear, get_interpreters.cache_clear)
