"""Memory for asyncio: the same store, awaited; the loop never waits for a model or a disk.

    from edge_icl.aio import AsyncMemory

    async with await AsyncMemory.open("work") as memory:
        await memory.add("Uber to the airport", "travel")
        async for piece in memory.stream("Taxi downtown"):
            print(piece, end="", flush=True)

Work is done in threads of the memory's own, which end with `close`. Cancelling a task stops the model within a
token. A change that is being written is finished first: the store has either all of it or nothing.

Read in this order:

    threads    where the work is done, and how its progress comes back into the loop
    reply      an answer in the making, for `async for`
    memory     AsyncMemory: the methods of Memory, to be awaited
"""

from edge_icl.aio.memory import AsyncMemory
from edge_icl.aio.reply import AsyncReply

__all__ = ["AsyncMemory", "AsyncReply"]
