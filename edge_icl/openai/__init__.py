"""Answers in the shape of OpenAI's chat completions, for programs that speak that; there is no server.

    >>> from edge_icl import openai
    >>> said = openai.complete([{"role": "user", "content": "Taxi downtown"}], store="work")
    >>> said["choices"][0]["message"]["content"]
    'travel'
    >>> with openai.Completions("work") as completions:  # keeps the models loaded
    ...     for chunk in completions.create([{"role": "user", "content": "Taxi downtown"}], stream=True):
    ...         print(chunk["choices"][0]["delta"].get("content", ""), end="")
    travel

The package `openai` is not needed; its types take what is returned. The last message of the user is the
question, and the store's examples are what the model is shown beside it. What OpenAI has and an exact answer
has not, such as a temperature, is refused by name rather than ignored. Read in this order:

    request      what is asked: messages, parameters
    shape        what is returned
    completions  a store, or a model alone, that answers
"""

from edge_icl.openai.completions import Chunks, Completions, complete

__all__ = ["Chunks", "Completions", "complete"]
