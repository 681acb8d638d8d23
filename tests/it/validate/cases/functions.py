# place: handlers/handler_wide.py #! compliance.handler compliance.file-name
"""A handler without its entry point."""


class snake_case:  #! compliance.class-name
    """Named as a function."""

    def run(self) -> None:  #! compliance.generic-name
        """Run."""
        print(self)

    async def process(self) -> None:
        """Upstream does not mind asynchronous ones."""
        print(self)

    def many(self, a: int, b: int, c: int, d: int, *, e: int) -> int:  #! compliance.parameters
        """Take too much."""
        return a + b + c + d + e


class Words:  #! completeness.docstring
    name = "words"

    def say(self) -> str:  #! completeness.docstring
        return self.name

    def _private(self) -> str:
        return self.name
