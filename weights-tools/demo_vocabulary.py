"""A byte-level BPE vocabulary for the demo model, trained on the words of the prompt generators.

Byte-pair encoding: start from bytes, merge the most frequent adjacent pair of the word list, again and again, until every word of
the list is one token. The files have GPT-2's format (vocab.json, merges.txt), with its spelling of bytes as printable characters.
"""
import json
import re
from collections import Counter
from pathlib import Path

END_OF_TEXT = "<|endoftext|>"

# GPT-2's split into words, for texts that are plain ASCII (all texts of the generators are).
WORD = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+")


def byte_alphabet():
    """Byte to character: printable bytes stand for themselves, the others become U+0100, U+0101, ..."""
    printable = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    characters = {byte: chr(byte) for byte in printable}
    for byte in range(256):
        if byte not in characters:
            characters[byte] = chr(256 + len(characters) - len(printable))
    return characters


ALPHABET = byte_alphabet()


def spell(text):
    return "".join(ALPHABET[byte] for byte in text.encode("utf-8"))


def word_counts(word_lists):
    """Every word that must become one token, with the weight that decides how early it is merged."""
    counts = Counter()

    def template(text):
        # What stands between the blanks, e.g. {noun}; a blank is never glued to a letter.
        for piece in re.split(r"\{\w+\}", text):
            counts.update({word: 50 for word in WORD.findall(piece) if word.strip()})

    def words(entries, initial=False):
        for entry in entries:
            counts[" " + entry] += 10
            if initial:
                counts[entry] += 5
                counts[entry[0].upper() + entry[1:]] += 5

    for task, content in word_lists.items():
        for text in content["templates"]:
            template(re.sub(r"\s?[\[<]\w+[\]>]", "", text))
    ioi, sva = word_lists["ioi"], word_lists["sva"]
    words(ioi["names"], initial=True)
    words(ioi["places"] + ioi["things"] + word_lists["greater-than"]["nouns"])
    words(form for entry in sva["nouns"] + sva["verbs"] for form in entry)
    words(word_lists["gender-bias"]["he"] + word_lists["gender-bias"]["she"] + ["he", "she", "man", "woman"])
    words((name for pair in word_lists["country-capital"]["pairs"] for name in pair), initial=True)
    words(word for kind in word_lists["hypernymy"]["kinds"] for word in kind["answers"] + kind["members"])

    # " 1745" must split into " 17" and "45": the century pairs are merged first because they weigh most.
    for century in range(10, 21):
        counts[f" {century}"] += 100_000
    counts[" 2"] += 100_000  # so that " 20" is " 2" + "0", not " " + "20"
    for number in range(100):
        counts[f"{number:02d}"] += 20
    return counts


def train_bpe(counts):
    """The merges, in order. Ties go to the alphabetically first pair, so the result depends on the counts alone."""
    words = {word: list(spell(word)) for word in counts}
    merges = []
    while True:
        pairs = Counter()
        for word, parts in words.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += counts[word]
        if not pairs:
            return merges
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        for parts in words.values():
            merge_pair(parts, best)


def merge_pair(parts, pair):
    i = 0
    while i + 1 < len(parts):
        if (parts[i], parts[i + 1]) == pair:
            parts[i:i + 2] = [parts[i] + parts[i + 1]]
        i += 1


class Vocabulary:
    def __init__(self, merges):
        tokens = [ALPHABET[byte] for byte in sorted(range(256), key=lambda byte: ord(ALPHABET[byte]))]
        for left, right in merges:
            if left + right not in tokens:
                tokens.append(left + right)
        tokens.append(END_OF_TEXT)
        self.merges = merges
        self.ids = {token: i for i, token in enumerate(tokens)}
        self.ranks = {pair: rank for rank, pair in enumerate(merges)}
        self.cache = {}

    def encode(self, text):
        return [i for word in WORD.findall(text) for i in self.encode_word(word)]

    def encode_word(self, word):
        if word not in self.cache:
            parts = list(spell(word))
            while len(parts) > 1:
                best = min(zip(parts, parts[1:]), key=lambda pair: self.ranks.get(pair, len(self.ranks)))
                if best not in self.ranks:
                    break
                merge_pair(parts, best)
            self.cache[word] = [self.ids[part] for part in parts]
        return self.cache[word]

    def write(self, directory):
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        with open(directory / "vocab.json", "w", encoding="utf-8", newline="\n") as file:
            json.dump(self.ids, file, ensure_ascii=False, indent=0)
            file.write("\n")
        with open(directory / "merges.txt", "w", encoding="utf-8", newline="\n") as file:
            file.write("#version: 0.2\n" + "".join(f"{left} {right}\n" for left, right in self.merges))


def make_vocabulary(word_list_directory):
    word_lists = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(word_list_directory).glob("*.json"))}
    counts = word_counts(word_lists)
    vocabulary = Vocabulary(train_bpe(counts))
    for word in counts:
        assert len(vocabulary.encode_word(word)) == 1, word
    for century in word_lists["greater-than"]["centuries"]:
        for year in range(100):
            parts = [vocabulary.encode(text)[0] for text in (f" {century}", f"{year:02d}")]
            assert vocabulary.encode(f" {century}{year:02d}") == parts, (century, year)
    return vocabulary
