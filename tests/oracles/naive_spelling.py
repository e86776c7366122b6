"""The cost of a misspelling, by trying all edits."""

import math

VOWELS = "aeiouy"


def cost(word, typed, costs, first_costs, second_cost):
    """The cheapest way to type a word so; ``costs`` are in the order of the documented kinds."""

    def edge(text, place, kinds):
        if text[place] in (text[place - 1 : place], text[place + 1 : place + 2]):
            return kinds[0]
        return kinds[1] if text[place] in VOWELS else kinds[2]

    def best(i, j, left):
        if i == len(word) and j == len(typed) and left == 0:
            return 0.0
        found = [math.inf]
        if i < len(word) and j < len(typed) and word[i] == typed[j]:
            found.append(best(i + 1, j + 1, left))
        if left:
            at = first_costs if i == 0 else costs
            if i < len(word):
                found.append(edge(word, i, at[0:3]) + best(i + 1, j, left - 1))
            if j < len(typed):
                found.append(edge(typed, j, (first_costs if j == 0 else costs)[3:6]) + best(i, j + 1, left - 1))
            if i < len(word) and j < len(typed) and word[i] != typed[j]:
                a, b = word[i] in VOWELS, typed[j] in VOWELS
                found.append(at[8 if a != b else 6 if a else 7] + best(i + 1, j + 1, left - 1))
            if len(word) > i + 1 and word[i] != word[i + 1] and word[i + 1] + word[i] == typed[j : j + 2]:
                found.append(at[9] + best(i + 2, j + 2, left - 1))
        return min(found)

    return min(best(0, 0, 1), best(0, 0, 2) + second_cost)
