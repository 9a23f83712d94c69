"""AWS Lambda entry point: registering, signing in, profiles."""

from functions.accounts.personal_data_routes import router as personal_data_router
from functions.accounts.preference_routes import router as preference_router
from functions.accounts.profile_routes import router as profile_router
from functions.accounts.routes import account_problem, router
from shared.http import create_app, lambda_handler

app = create_app(
    "accounts",
    router,
    profile_router,
    preference_router,
    personal_data_router,
    render_problem=account_problem,
)
handler = lambda_handler(app)
