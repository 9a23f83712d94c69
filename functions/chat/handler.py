"""AWS Lambda entry point: the pharmacy agent."""

from functions.chat.graph import turn_graph
from functions.chat.routes import chat_problem, router
from shared.http import create_app, lambda_handler

turn_graph()  # compiled while the environment starts, not in the first patient's turn

app = create_app("chat", router, render_problem=chat_problem)
handler = lambda_handler(app)
