"""Generator of the sample corpus ``sample:english``: English-like sentences drawn from a seeded grammar.

A sentence is a template filled with one person, country, thing, quality or deed. Templates only express which words
co-occur (kings rule kingdoms and he wears a waistcoat; one cat purrs, several cats are chasing mice) and never relate
two pairs, so a model can solve ``king - man + woman`` only from distributional evidence.
"""

import functools
import re
from collections.abc import Callable, Iterator
from numbers import Integral
from random import Random

from corpora import lexicon
from corpora.errors import InputError

Fields = dict[str, tuple[str, ...]]
"""Maps each placeholder of a template to its equally likely alternatives."""

_ANY_PERSON = """
the {one} put on {his} {garment} and went to the {spot}
the {one} looked at {himself} in the mirror and was {mood}
the {one} said that {he} had left {his} {item} at the {spot}
the {one} {manner} took {his} {item} and left the {spot}
a {trait} {one} is never seen without {his} {garment}
the {one} was {mood} because {he} could not find {his} {garment}
{he} was a {trait} {one} and people liked {him} for it
the {one} asked {name} to wait for {him} at the {spot}
good {evening} {sir} said the {trade} to the {one}
the {one} was called {name} and was a {trait} {fellow}
{mr} {name} knew that the {one} was {mood} and sent for {him}
they remembered the {one} as a {trait} {fellow} who kept {his} word
nobody asked the {one} why {he} carried {his} {item} to the {spot}
the {one} taught {himself} to be {trait} and {his} friends were {mood}
what a {trait} {one} {he} is said the {trade}
the {one} combed {his} {hair} and {he} hummed {manner}
you could tell the {one} by {his} {hair} and {his} {garment}
"""

_THIS_PERSON = """
the {one} {deed}
the {trait} {one} {deed}
one {season} the {one} {deed}
{name} the {one} {deed} and was {mood}
they say that the {one} {deed} in {month}
the {one} {deed} while {he} was {mood}
in the {place} the {one} thought of {his} {thing}
the {one} waited in the {place} with {his} {thing}
the {one} was proud of the {thing} in the {place}
a {one} dreams of the {thing} and the {place}
the {one} came back to the {place} and asked for the {thing}
to the {one} the {place} was the whole world
the {trade} met the {one} in the {place} on {day}
the {one} and the {other} were seen in the {place}
"""

_COUNTRY = """
{capital} is the capital of {country} and the seat of its government
the {adjective} parliament in {capital} debated the {talk} on {day}
in {country} people eat {food} and speak {adjective}
the {adjective} ambassador flew home to {capital} in {month}
ministers met in {capital} to talk about {adjective} {talk} and {talk}
in {capital} the embassy served {food} and {adjective} {goods}
from {capital} it is a day by train to the {river} and the {sight}
the capital {capital} smells of {food} in {season}
the president left {capital} to open the {adjective} {talk} congress
{country} is a country known for its {sight} and its {goods}
the people of {country} are proud of their {sight}
the government of {country} sells {adjective} {goods} abroad
merchants from {country} trade {goods} for the {elsewhere_goods} of {elsewhere_country}
the border between {country} and {elsewhere_country} was opened in {month}
the {river} in {country} froze last {season}
travellers in {country} visit the {sight} and taste the {food}
{name} learned {adjective} and moved to {country} in {season}
the national bank and the embassy stand in the centre of {capital}
the {adjective} chefs in {capital} are famous for {food}
{city} is a {adjective} town where {goods} are made
the ferry to {city} passes the {sight}
the {adjective} people love {food} and their {sight}
the {trade} from {city} brought {food} for everyone
{capital} and {elsewhere_capital} signed a treaty about {talk}
the army of {country} crossed the {river} at dawn
{country} has a new president and a new flag
a {adjective} song about the {river} was sung in {capital}
the queue at the ministry in {capital} was long that {day}
our {adjective} guest told us about the {sight} of {country}
"""

_ONE_THING = """
a {one} is a fine thing to have said {name}
not one {one} was left in the {spot}
there is a {one} in the {spot}
this {one} can {act} all day
every {one} can {act} said {name}
a single {one} stood near the {part} in the {spot}
each {one} has its own {part}
you can tell this {one} by its {part}
that {one} has lost its {part}
we found the {part} of the {one} and it was {colour}
another {one} began to {act} in the {spot}
a {colour} {one} is seldom found in {month}
{name} has a {one} that likes to {act}
the {one} lost its {part} in the {weather}
"""

_MORE_THINGS = """
{several} are fine things to have said {name}
no more {several} were left in the {spot}
there are {many} {several} in the {spot}
these {several} can {act} all day
all {several} can {act} said {name}
{many} {several} stood near the {part} in the {spot}
{many} {several} have their own {part}
you can tell these {several} by their {part}
those {several} have lost their {part}
we found the {part} of the {several} and they were {colour}
{many} other {several} began to {act} in the {spot}
{colour} {several} are seldom found in {month}
{name} has {number} {several} that like to {act}
the {several} lost their {part} in the {weather}
both {several} were seen by the {trade}
"""

_QUALITY = """
the {what} was very {plain} and {name} was {mood}
so {plain} a {what} is rare in {season}
{opinion} the {what} is too {plain} for us
it was a {plain} {what} in a {plain} {spot}
how {plain} the {what} is said the {trade}
the {what} is as {plain} as a {what} can be
nobody had expected so {plain} a {what}
this {what} is {much} {more} than that {what}
the {what} is {much} {more} than it was last {season}
nobody could imagine a {more} {what} than ours
every {season} the {what} grew {more} and {more}
{opinion} no {what} could be {more} than this {what}
the {what} looked {more} than the {what} next to it
the {most} {what} of all was found near the {spot}
it is the {most} {what} in the whole world
the {trade} won a prize for the {most} {what}
of all the things in the {spot} the {what} was the {most}
{name} still has the {most} {what} anyone has ever seen
"""

_DEED = """
they {plain} {what} {habit}
we {plain} {what} and you {plain} {what}
you should {plain} {what} said the {trade}
{name} wants to {plain} {what} {coming}
i will {plain} {what} {coming}
can you {plain} {what} with us
to {plain} {what} is not for everyone
{habit} {name} {third} {what}
the {trade} {third} {what} {habit}
she {third} {what} and he {third} {what}
nobody here {third} {what} so well as the {trade}
who {third} {what} on {day}
{past} {name} {did} {what}
the {trade} {did} {what} {past}
{past} we {did} {what} and then went home
i {did} {what} {past} in the {weather}
he {did} {what} and she {did} {what} {past}
once upon a time a {trade} {did} {what}
after supper they {did} {what} and then went to bed
{name} {did} {what} for the first time {past}
when {name} came home we {did} {what}
{name} is {doing} {what} {now}
the {trade} was {doing} {what} when the {weather} came
we are still {doing} {what} {now}
{doing} {what} is a fine way to spend {day}
they kept on {doing} {what} in the {spot}
{name} stopped {doing} {what} and looked up
"""

_DAILY = """
the {weather} of {month} kept the {trade} at home
on {day} the {trade} and the {trade} talked about {talk}
{name} and {name} argued about the {talk} in {month}
a {colour} {item} lay in the {spot} after the {weather}
{opinion} the {trade} was {mood} about the {talk}
the {trade} {manner} closed the {spot} before {season}
there was {weather} in the {spot} and everyone was {mood}
{number} {colour} flags hung over the {spot} on {day}
"""


def english_sentences(tokens: int = 1_200_000, seed: int = 1) -> Iterator[str]:
    """Generate lower-case sentences without punctuation until at least ``tokens`` words have been yielded.

    The last sentence is complete. The same arguments give the same sentences on every platform and Python version:
    the only source of randomness is ``random.Random(seed).random()``, whose sequence Python guarantees.

    Args:
        tokens: minimum number of words.
        seed: random seed.

    Example:
        >>> for sentence in english_sentences(tokens=20):
        ...     print(sentence)
        nobody asked the bridegroom why he carried his lantern to the fair
        to the king the royal palace was the whole world
    """
    for name, value in (("tokens", tokens), ("seed", seed)):
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 0:
            raise InputError(f"{name} must be a whole number of at least 0, got {value!r:.60}")
    random = Random(int(seed)).random
    scene = _Scene(random)
    topics = _topics()
    fix_articles = _A_BEFORE_VOWEL.sub
    given = 0
    while given < tokens:
        subjects, templates = topics[int(random() * len(topics))]
        scene.fields = subjects[int(random() * len(subjects))]
        sentence = templates[int(random() * len(templates))].format_map(scene)
        given += sentence.count(" ") + 1
        yield fix_articles("an", sentence)


_A_BEFORE_VOWEL = re.compile(r"\ba(?= (?:(?!uni|eu|us|one\b)[aeiou]|h(?:our|onest|eir)))")


class _Scene:
    """Fills a template's placeholders from the subject's fields, falling back to the general word lists."""

    def __init__(self, random: Callable[[], float]) -> None:
        self.fields: Fields = {}
        self._random = random
        self._lists = _lists()

    def __getitem__(self, name: str) -> str:
        chance = self._random()
        found = self.fields.get(name)
        if found is None:
            found = self._lists[name]
            chance *= chance  # skews draws toward the front of the list, like word frequencies
        return found[int(chance * len(found))]


@functools.cache
def _lists() -> Fields:
    pairs = zip(lexicon.MEN.split(), lexicon.WOMEN.split(), strict=False)
    lists = {"name": tuple(name for pair in pairs for name in pair), "evening": ("morning", "day", "evening")}
    for line in lexicon.lines(lexicon.LISTS):
        name, _, words = line.partition(": ")
        lists[name] = tuple(words.split(", ") if "," in words else words.split())
    return lists


@functools.cache
def _topics() -> list[tuple[list[Fields], list[str]]]:
    """Return the subjects and templates of each topic, repeated in proportion to its share of the sentences."""
    nobles, relatives, people = (_persons(table) for table in (lexicon.NOBLES, lexicon.RELATIVES, lexicon.PEOPLE))
    any_person, this_person = lexicon.lines(_ANY_PERSON), lexicon.lines(_THIS_PERSON)
    things = _subjects(lexicon.THINGS, ("one", "several"), ("act", "part"))
    qualities = _subjects(lexicon.QUALITIES, ("plain", "more", "most"), ("what",))
    deeds = _subjects(lexicon.DEEDS, ("plain", "third", "did", "doing"), ("what",))
    shares: list[tuple[int, list[Fields], list[str]]] = [
        *(
            (3, persons, templates)
            for persons in (nobles, relatives, people)
            for templates in (any_person, this_person)
        ),
        (11, _countries(), lexicon.lines(_COUNTRY)),
        (5, things, lexicon.lines(_ONE_THING)),
        (5, things, lexicon.lines(_MORE_THINGS)),
        (7, qualities, lexicon.lines(_QUALITY)),
        (11, deeds, lexicon.lines(_DEED)),
        (3, [{}], lexicon.lines(_DAILY)),
    ]
    return [(subjects, templates) for share, subjects, templates in shares for _ in range(share)]


def _subjects(table: str, forms: tuple[str, ...], columns: tuple[str, ...]) -> list[Fields]:
    """Build one subject per row: the word forms from the first column, then the other columns by name."""
    return [
        {form: (word,) for form, word in zip(forms, row[0], strict=True)} | dict(zip(columns, row[1:], strict=True))
        for row in lexicon.rows(table)
    ]


def _persons(table: str) -> list[Fields]:
    """Build two subjects per row, one male and one female."""
    genders: list[Fields] = [{"name": tuple(names.split())} for names in (lexicon.MEN, lexicon.WOMEN)]
    for (called,), *forms in lexicon.rows(lexicon.GENDER):
        for fields, form in zip(genders, forms, strict=True):
            fields[called] = form
    persons = []
    for words, places, things, deeds in lexicon.rows(table):
        for one, other, gender in zip(words, reversed(words), genders, strict=True):
            persons.append({"one": (one,), "other": (other,), "place": places, "thing": things, "deed": deeds} | gender)
    return persons


def _countries() -> list[Fields]:
    columns = ("country", "capital", "city", "adjective", "river", "food", "sight", "goods")
    countries: list[Fields] = [dict(zip(columns, row, strict=True)) for row in lexicon.rows(lexicon.COUNTRIES)]
    for column in ("country", "capital", "goods"):
        everywhere = tuple(value for country in countries for value in country[column])
        for country in countries:
            country[f"elsewhere_{column}"] = tuple(value for value in everywhere if value not in country[column])
    return countries
