r"""Rewrite short messages in a house style, taught by pairs of before and after; see each as it is written.

    python examples/house_style.py "whats the address" "cant find the invoice"
    python examples/house_style.py --pairs ours.csv --store ours "send me the photos asap"

The built-in pairs turn what people type into what a company writes. A file of your own (CSV, JSON lines) has an
input and an output in each row. Below each text stand the pairs that the model was shown: they are its style.

The default model has 135 million parameters. Of ten short messages that are like the pairs it gets six or seven
right, and in the others it writes what was not meant: read before you send. A larger one (--model) does better.
It needs edge-icl and nothing else.
"""

import argparse
import sys

import edge_icl

PAIRS = {
    "cant make it today sorry": "I am sorry, but I cannot make it today.",
    "send me the file asap": "Could you please send me the file as soon as possible?",
    "whats the price": "Could you please tell me the price?",
    "thx got it": "Thank you, I have received it.",
    "we r late, parts missing": "We are running late, as parts are missing.",
    "call me tmrw": "Could you please call me tomorrow?",
    "call me after lunch": "Could you please call me after lunch?",
    "ok works for me": "Thank you, that works for me.",
    "cant open the link": "I am sorry, but I cannot open the link.",
    "whens the meeting": "Could you please tell me when the meeting is?",
    "thx for the help": "Thank you for your help.",
    "need the report asap": "Could you please send me the report as soon as possible?",
    "order late, driver sick": "Your order is running late, as the driver is ill.",
    "cant find my order": "I am sorry, but I cannot find my order.",
    "thx for the fast delivery": "Thank you for the fast delivery.",
    "wheres the entrance": "Could you please tell me where the entrance is?",
}


def rewrite(memory: edge_icl.Memory, text: str) -> None:
    """Print a text in the house style, piece by piece, and the pairs that it was made from."""
    print(f"{text}\n  -> ", end="")
    reply = memory.stream(text, labels="off", max_tokens=80)
    for piece in reply:
        print(piece, end="", flush=True)
    print("" if reply.answer.complete else " [cut off]")
    for held in reply.examples:
        print(f"     {held.id[:8]}  {held.input} -> {held.output}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts", nargs="+", metavar="TEXT", help="what to rewrite")
    parser.add_argument("--pairs", metavar="FILE", help="teach these instead of the built-in pairs")
    parser.add_argument("--store", default="house-style", help="its name, or its path (house-style)")
    parser.add_argument("--model", help="a model's name, or the path of a GGUF file")
    options = parser.parse_args()
    try:
        with edge_icl.Memory.open(options.store, model=options.model) as memory:
            if options.pairs or not len(memory):
                memory.add_many(edge_icl.read(options.pairs) if options.pairs else PAIRS.items())
            for text in options.texts:
                rewrite(memory, text)
    except edge_icl.EdgeIclError as error:
        sys.exit(f"house_style: error: {error}")


if __name__ == "__main__":
    main()
