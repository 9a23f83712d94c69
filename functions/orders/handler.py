"""AWS Lambda entry point: orders, of a patient and for staff."""

from functions.orders.routes import orders_problem, router
from shared.http import create_app, lambda_handler

app = create_app("orders", router, render_problem=orders_problem)
handler = lambda_handler(app)
