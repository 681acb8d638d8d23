async def f(x):
    match x:
        case {"a": [1, *rest], **more} if rest:
            await g(x)
        case A(b=1) | None as y:
            pass
        case _:
            for i in range(3):
                while True:
                    break
                else:
                    continue
    async for z in x: yield z
type P[T: int] = dict[str, T]
hashlib.md5(b"a" rb'\x' ''' c''')  # genstore: ignore[security.hash] why
