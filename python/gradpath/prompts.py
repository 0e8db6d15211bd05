"""Prompt pairs: a clean and a corrupted prompt of the same number of tokens, with right and wrong answers."""

from __future__ import annotations

import json
import numbers
from dataclasses import dataclass, field
import os
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from . import _library, _values
from ._errors import ArgumentError, warn
from ._handles import Owner
from ._runs import run
from .model import Model
from .tokenizer import token_ids


# A list with an entry per pair, or an array.
Entries = Union[Sequence[Any], NDArray[Any]]


class _Prepared(Owner):
    """Prompt pairs as tokens of one model."""

    _KIND = "prompts"


@dataclass(frozen=True, eq=False)
class PairIds:
    """One prompt pair as the model sees it."""

    clean: NDArray[np.int32]
    """The clean prompt, int32 [n_tokens], with the begin token where the model gets one."""
    corrupted: NDArray[np.int32]
    """The corrupted prompt, int32 [n_tokens]."""
    answers: NDArray[np.int32]
    """The right answers, int32, each once; empty where there are none. Of answers of several tokens the first ones."""
    wrong_answers: NDArray[np.int32]
    """The wrong answers, as the right ones."""
    id: Optional[str] = None
    """Its name in files of results."""
    label: Optional[str] = None
    positions: Dict[str, int] = field(default_factory=dict)
    """Tokens with a name, counted from 0 with the begin token."""


class PromptPairs:
    """Prompt pairs, of texts or of token ids. They belong to no model: each call makes them tokens of its model, once per model.

    Args:
        clean: N prompts: texts, or token ids as lists or int arrays, or an int array [N, n_tokens].
        corrupted: As many, each with as many tokens as its clean prompt.
        answers: For each pair the right answer or a list of right ones: texts of one token (" Mary"; the space matters) or ids. None where
            no metric needs them.
        wrong_answers: The same for wrong answers.
        labels: For each pair a text that results keep beside it.
        positions: For each pair names of tokens, such as {"S2": 9}, counted from 0 without the begin token; for :func:`path_patch`.
        name: What results call the task.
        bos: Put the model's begin token in front of prompts that are texts. Ids are taken as they are.
        answer: What an answer of several tokens stands for: "one-token" refuses it, "first-token", or "sequence", all its tokens, judged
            by log-probability.

    Raises:
        ArgumentError: The lists differ in length, or hold something else.

    What only a model can tell (whether a text is one token, whether both prompts of a pair are equally long) is said by the first call
    with a model, as :class:`InputError`.
    """

    _length: Optional[int] = None
    _json: Optional[Tuple[bytes, int]] = None
    # None where no __init__ was called.
    _options: Optional[Dict[str, Any]] = None
    _text = "PromptPairs()"

    def __init__(
        self,
        clean: Entries,
        corrupted: Entries,
        answers: Optional[Entries] = None,
        wrong_answers: Optional[Entries] = None,
        *,
        labels: Optional[Sequence[str]] = None,
        positions: Optional[Sequence[Mapping[str, int]]] = None,
        name: str = "prompts",
        bos: bool = True,
        answer: str = "one-token",
    ) -> None:
        _values.flags(bos=bos)
        _values.line(name, "name")
        columns = [
            _prompts(clean, "clean"),
            _prompts(corrupted, "corrupted"),
            _answers(answers, "answers", "answer_ids"),
            _answers(wrong_answers, "wrong_answers", "wrong_answer_ids"),
            _plain(labels, "labels", "label"),
            _plain(positions, "positions", "positions"),
        ]
        given = {field: len(rows) for field, rows in columns if rows is not None}
        if len(set(given.values())) > 1:
            raise ArgumentError("the lists differ in length: " + ", ".join(f"{k} has {n}" for k, n in given.items()))
        self._length = len(columns[0][1] or [])
        if self._length == 0:
            raise ArgumentError("clean is empty; at least one pair is needed")
        rows: List[Dict[str, Any]] = [{} for _ in range(self._length)]
        for _, values in columns:
            for row, value in zip(rows, values or []):
                row.update(value)
        self._json = _values.to_json(rows, "prompts")
        self._options = {"name": name, "bos": bos, "answer": answer}
        self._text = f"PromptPairs({_values.count(self._length, 'pair')} of {name})"

    @classmethod
    def task(
        cls,
        name: str,
        n: int = 100,
        seed: int = 0,
        *,
        bos: bool = True,
    ) -> "PromptPairs":
        """Pairs that are generated for a task, with the model's own vocabulary.

        Args:
            name: A task of :func:`gradpath.tasks`, such as "ioi".
            n: How many.
            seed: The same seed gives the same pairs.
        """
        _values.flags(bos=bos)
        _values.named(name, "the task's name")
        n, seed = _values.whole(n, "n", 1), _values.whole(seed, "seed")
        return cls._loaded(f"PromptPairs({_values.count(n, 'pair')} of {name}, seed {seed})", n, task=name, limit=n, seed=seed, bos=bos)

    @classmethod
    def load(
        cls,
        path: Any,
        *,
        task: Optional[str] = None,
        limit: Optional[int] = None,
        bos: bool = True,
        answer: str = "one-token",
        hard_corruption: bool = False,
    ) -> "PromptPairs":
        """Pairs of a file, which is read by the first call with a model.

        Args:
            path: .jsonl or .json as `gradpath prompts` writes them, or, with ``task``, a published .csv of that task.
            limit: Take the first so many.
            bos, answer: As of the constructor.
            hard_corruption: For a .csv of ioi: its column ``corrupted_hard``.
        """
        _values.flags(bos=bos, hard_corruption=hard_corruption)
        if limit is not None:
            limit = _values.whole(limit, "limit", 1)
        data = _values.path(path)[0].decode()
        given = {"data": data, "task": task, "limit": limit, "bos": bos, "answer": answer}
        return cls._loaded(f"PromptPairs({data})", None, **given, hard_corruption=hard_corruption or None)

    @classmethod
    def _loaded(cls, text: str, length: Optional[int], **options: Any) -> "PromptPairs":
        made = cls.__new__(cls)
        made._json = None
        made._length = length
        made._options = options
        made._text = text
        return made

    def prepare(self, model: Model) -> _Prepared:
        """The pairs as the model's tokens, kept for the model's next call.

        Raises:
            InputError: A pair cannot be used with this model; the message names it.
            Busy: A file or a task is to be read, and a callback of a run is at work.
            KeyboardInterrupt: Ctrl-C was pressed while a file was read.
        """
        if not isinstance(model, Model):
            raise TypeError(f"model must be a gradpath.Model, not {_values.kind_of(model)}")
        if self._options is None:
            raise TypeError(f"{type(self).__name__} holds no pairs: its __init__ must call super().__init__(clean, corrupted)")
        known = model._prepared.get(self)
        if isinstance(known, _Prepared):
            return known
        options = _values.options(**self._options)
        with model._handle as handle:
            if self._json is None:
                made = run(lambda told: _Prepared(_library.opened("gradpath_prompts_load", handle, *options, told)), progress=False)
            else:
                made = _Prepared(_library.opened("gradpath_prompts_parse", handle, *self._json, *options))
        model._prepared[self] = made
        if self._length is None:
            self._length = made._fact("n_pairs", int)
        warn(made._fact("warnings", list))
        return made

    def describe(self, model: Model) -> Dict[str, Any]:
        """What results state of the pairs: n_pairs, task, metric (the one that judges where none is named), source, hash, lengths."""
        return self.prepare(model).describe()

    def ids(self, model: Model) -> List[PairIds]:
        """The pairs as the model's token ids, in the order of the places that a metric function is told.

        A function that needs its pair's answers looks them up there: ``ids[pair].answers``.
        """
        with self.prepare(model)._handle as handle:
            lines = _library.text("gradpath_prompts_ids", handle)
        return [_pair_ids(json.loads(line)) for line in lines.split("\n") if line]

    def save(self, path: Any, model: Model) -> None:
        """Writes the pairs as .jsonl, as :meth:`load` reads them: those of texts as texts, the others as the model's ids.

        Raises:
            ArgumentError: The extension is another.
            InputError: The file cannot be written.
        """
        given = _values.path(path)
        named = given[0].decode()
        if os.path.splitext(named)[1].lower() != ".jsonl":
            raise ArgumentError(f"{named}: prompt pairs are written as .jsonl, which PromptPairs.load reads by that extension")
        with self.prepare(model)._handle as handle:
            _library.call("gradpath_prompts_save", handle, *given)

    def __len__(self) -> int:
        if self._length is None:
            raise TypeError("the number of pairs is not known before the file is read: pairs.prepare(model) reads it")
        return self._length

    def __bool__(self) -> bool:
        """True, also before a file was read, when its number of pairs is not known."""
        return True

    def __repr__(self) -> str:
        return self._text


def _pair_ids(row: Dict[str, Any]) -> PairIds:
    def array(name: str) -> NDArray[np.int32]:
        return np.array(row.get(name) or (), np.int32)

    return PairIds(
        array("clean_ids"), array("corrupted_ids"), array("answer_ids"), array("wrong_answer_ids"), row.get("id"), row.get("label"),
        row.get("positions") or {})


Column = Tuple[str, Optional[List[Dict[str, Any]]]]


def _prompts(values: Any, name: str) -> Column:
    rows: List[Dict[str, Any]] = []
    given = _list(values, name)
    for i, value in enumerate(given):
        if _is_whole(value):
            whole = f"; {name}=[{[int(v) for v in given]}] is one pair" if len(given) < 20 and all(map(_is_whole, given)) else ""
            raise TypeError(f"{name}[{i}] is one number, and a prompt is a text or a list of token ids{whole}")
        rows.append({name: value} if isinstance(value, str) else {f"{name}_ids": _ids(value, f"{name}[{i}]")})
    return name, rows


def _answers(values: Any, name: str, ids: str) -> Column:
    if values is None:
        return name, None
    rows: List[Dict[str, Any]] = []
    for i, value in enumerate(_list(values, name)):
        if value is None:
            raise TypeError(f"{name}[{i}] is None; an answer is needed for each pair, or {name}=None for pairs without")
        if isinstance(value, str) or _is_whole(value):
            value = [value]
        if isinstance(value, (list, tuple, set, frozenset)) and any(isinstance(v, str) for v in value):
            if not all(isinstance(v, str) for v in value):
                raise ArgumentError(f"{name}[{i}] holds texts and ids; one of them is needed")
            rows.append({name: list(value)})
        else:
            rows.append({ids: _ids(list(value) if isinstance(value, (set, frozenset)) else value, f"{name}[{i}]")})
    return name, rows


def _plain(values: Any, name: str, field: str) -> Column:
    return name, None if values is None else [{field: v} for v in _list(values, name)]


def _list(values: Any, name: str) -> List[Any]:
    return _values.rows(values, name, "a list with an entry per pair")


def _ids(value: Any, name: str) -> List[int]:
    ids: List[int] = token_ids(value, name).tolist()
    return ids


def _is_whole(value: Any) -> bool:
    return isinstance(value, (numbers.Integral, np.integer)) or (getattr(value, "ndim", None) == 0 and hasattr(value, "item"))
