"""AWS Lambda entry point: the pharmacy agent."""

from functions.chat.graph import turn_graph
from functions.chat.routes import chat_problem, router
from functions.chat.tracing import get_sender
from shared.http import create_app, lambda_handler

# While the environment starts, not in the first patient's turn.
turn_graph()
get_sender()

app = create_app("chat", router, render_problem=chat_problem)
handler = lambda_handler(app)
