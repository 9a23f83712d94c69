from functions.chat.drawing import PAGE, drawn


def test_the_drawing_of_the_graph_is_the_graph() -> None:
    assert PAGE.read_text("utf-8") == drawn(), "run `make graph`"
