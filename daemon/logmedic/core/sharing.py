"""What two sequences of tokens have in common, and in the same order."""

from __future__ import annotations

from collections.abc import Sequence


def shared(ones: Sequence[str], others: Sequence[str]) -> list[tuple[int, int]]:
    """The places of what both have, ascending: a longest common subsequence, in which words weigh more than what stands
    between them. An empty text is like nothing."""
    start = 0
    while start < min(len(ones), len(others)) and ones[start] == others[start]:
        start += 1
    end = 0
    while end < min(len(ones), len(others)) - start and ones[-1 - end] == others[-1 - end]:
        end += 1
    middle = _heaviest(ones[start : len(ones) - end], others[start : len(others) - end])
    return [
        *((n, n) for n in range(start)),
        *((start + n, start + m) for n, m in middle),
        *((len(ones) - end + n, len(others) - end + n) for n in range(end)),
    ]


def _heaviest(ones: Sequence[str], others: Sequence[str]) -> list[tuple[int, int]]:
    """By the table of Wagner and Fischer: time and room are the product of the lengths."""
    best = [[0] * (len(others) + 1) for _ in range(len(ones) + 1)]
    for n in range(len(ones) - 1, -1, -1):
        weight = (4 if len(ones[n]) > 2 else 1) if ones[n] else 0
        row, below, one = best[n], best[n + 1], ones[n]
        for m in range(len(others) - 1, -1, -1):
            both = below[m + 1] + weight if weight and others[m] == one else 0
            row[m] = max(both, below[m], row[m + 1])
    found, n, m = [], 0, 0
    while n < len(ones) and m < len(others):
        if ones[n] and ones[n] == others[m] and best[n][m] > best[n + 1][m + 1]:
            found.append((n, m))
            n, m = n + 1, m + 1
        elif best[n][m] == best[n + 1][m]:
            n += 1
        else:
            m += 1
    return found
