# place: handlers/handler_order.py
# kind: effect
"""Code that stands in two places, and code without types."""


def handle(first: int, second: int) -> list[int]:
    """Do it once."""
    found = []
    found.append(first + second)
    found.append(first - second)
    found.append(first * second)
    found.append(first // second)
    found.append(first % second)
    found.append(first**second)
    found.append(first & second)
    found.append(first | second)
    found.append(first ^ second)
    return found


def again(first: int, second: int) -> list[int]:
    """Do it again."""
    found = []  #! quality.duplication
    found.append(first + second)

    # with a comment between
    found.append(first - second)
    found.append(first * second)
    found.append(first // second)
    found.append(first % second)
    found.append(first**second)
    found.append(first & second)
    found.append(first | second)
    found.append(first ^ second)
    return found


VALUE = 1  # genstore: ignore[security.exec] it was once  #! quality.unused-suppression
OTHER = eval("1")  # genstore: ignore[security.exec] a constant  #! security.exec
