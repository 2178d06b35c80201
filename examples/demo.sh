#!/bin/sh
# A first session: teach, ask, forget, and prove the forgetting with diff. `make demo` runs it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
stores=$(mktemp -d "${TMPDIR:-/tmp}/edge-icl-demo.XXXXXX")
trap 'rm -rf "$stores"' EXIT INT TERM
cp "$here/expenses.jsonl" "$stores"
cd "$stores"
# A seed makes two stores comparable. Without --seed, edge-icl draws a secret one.
seed=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
text="Taxi from the conference to the hotel"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() {
    printf '$ edge-icl'
    for word in "$@"; do
        case $word in *[!A-Za-z0-9_./=-]*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac
    done
    printf '\n'
    edge-icl "$@"
}

say "Fetch the two default models (only this command uses the network)"
run models fetch

say "Teach a store 88 expenses"
run --store ./taught init --seed "$seed"
run --store ./taught add --file expenses.jsonl

say "Ask"
for question in "Cab to the trade fair" "Sushi with a customer" "Licence for the photo editor" "Gas bill"; do
    run --store ./taught ask "$question" --examples
    echo
done

say "Forget one example, exactly"
run --store ./taught forget --match "$text" --yes

say "Prove it: a second store with the same seed, which never held that example"
grep -vF "$text" expenses.jsonl > without.jsonl
run --store ./never init --seed "$seed"
run --store ./never add --file without.jsonl
echo '$ diff -r taught never'
diff -r taught never
echo "(nothing: every byte is the same)"

say "Both answer alike, and what they cache of the model's state is the same too"
run --store ./taught ask "Cab to the trade fair"
run --store ./never ask "Cab to the trade fair"
echo '$ diff -r taught never'
diff -r taught never
echo "(nothing: every byte is the same)"
run --store ./taught verify --deep
