"""The training forms: tasks, templates, token counts and lengths."""

from __future__ import annotations

import json

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from irsmith import Recipe, UserError
from irsmith import recipe as recipes
from irsmith.export import export
from irsmith.export.base import Options
from irsmith.export.tokens import counter
from irsmith.templates import Template


def records(folder):
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.open(encoding="utf-8")]


TASKS = ("source:cpp", "cuda:source", "cpp:cuda", "cpp:cpp.backward")


def test_prompt_and_completion_hold_the_texts_of_the_task(made, rows, tmp_path):
    export(made, tmp_path / "out", "prompt-completion", Options(tasks=TASKS))
    by_id = {row["id"]: row for row in rows}
    stages = {stage.name: stage for stage in made.stages}
    found = records(tmp_path / "out")
    assert {record["task"] for record in found} == set(TASKS)
    for record in found:
        assert list(record) == ["id", "task", "prompt", "completion"]
        row = by_id[record["id"]]
        texts = {"source": row["python_source"]}
        for name, stage in stages.items():
            texts[name] = stage.functions(row, "forward")
            texts[f"{name}.backward"] = stage.functions(row, "backward")
        given, wanted = record["task"].split(":")
        assert texts[given].strip("\n") in record["prompt"]
        assert record["completion"] == texts[wanted].strip("\n")
        assert texts[wanted].strip("\n") not in record["prompt"]


def test_each_split_has_a_file_and_no_other_splits_rows(made, rows, tmp_path):
    export(made, tmp_path / "out", "chat", Options(tasks=("source:cpp",)))
    for path in (tmp_path / "out").iterdir():
        ids = [json.loads(line)["id"] for line in path.open(encoding="utf-8")]
        assert ids == [row["id"] for row in rows if row["split"] == path.stem]
        assert ids


def test_chat_is_a_list_of_messages_with_the_recipes_words(made, rows, tmp_path):
    export(made, tmp_path / "out", "chat", Options(tasks=("cpp:source", "source:cpp")))
    by_id = {row["id"]: row for row in rows}
    for record in records(tmp_path / "out"):
        row = by_id[record["id"]]
        roles = [message["role"] for message in record["messages"]]
        if record["task"] == "cpp:source":
            assert roles == ["system", "user", "assistant"]
            assert record["messages"][0]["content"] == "You know cpp."
            assert record["messages"][1]["content"].startswith(f"Raise {row['name']} ($5):\n")
            assert record["messages"][2]["content"] == row["python_source"].strip("\n")
        else:
            assert roles == ["user", "assistant"]
            assert "warp compiler" in record["messages"][0]["content"]


def test_a_row_without_an_adjoint_gives_no_example_of_it(made, rows, tmp_path):
    done = export(made, tmp_path / "out", "chat", Options(tasks=("cpp:cpp.backward",)))
    without = sum(row["cpp_backward"] is None for row in rows)
    assert len(records(tmp_path / "out")) == len(rows) - without
    assert done.left_out.get("no text for cpp:cpp.backward", 0) == without


def test_tokens_are_counted_and_lengths_dropped_or_marked(made, rows, tmp_path):
    count = counter("tekken")
    counted = Options(tasks=("source:cpp",), tokenizer="tekken")
    export(made, tmp_path / "all", "prompt-completion", counted)
    everything = records(tmp_path / "all")
    for record in everything[:5]:
        assert record["prompt_tokens"] == count(record["prompt"]) > 20
        assert record["completion_tokens"] == count(record["completion"])
    totals = sorted(record["prompt_tokens"] + record["completion_tokens"] for record in everything)
    limit = totals[len(totals) // 2]
    over = sum(total > limit for total in totals)
    assert over
    limited = Options(tasks=("source:cpp",), tokenizer="tekken", max_tokens=limit)
    dropped = export(made, tmp_path / "dropped", "prompt-completion", limited)
    assert len(records(tmp_path / "dropped")) == len(totals) - over
    assert dropped.left_out == {f"over {limit} tokens": over}
    marked = Options(tasks=("source:cpp",), tokenizer="tekken", max_tokens=limit, over="mark")
    export(made, tmp_path / "marked", "prompt-completion", marked)
    assert sum(record["over_length"] for record in records(tmp_path / "marked")) == over


def test_tekken_counts_what_is_known():
    count = counter("tekken")
    assert count("") == 0
    assert count("hello world") == 2
    assert count("<s>[INST]") > 2  # what looks like a control token is text


def test_a_tokenizer_file_of_ones_own(made, tmp_path):
    tokenizer = Tokenizer(WordLevel({"unknown": 0, "wp": 1}, unk_token="unknown"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.enable_truncation(3)
    tokenizer.save(str(tmp_path / "t.json"))
    assert counter(str(tmp_path / "t.json"))("wp . sin ( x )") == 6
    (tmp_path / "bad.json").write_text("[1]")
    with pytest.raises(UserError, match=r"bad\.json: not a tokenizer\.json"):
        counter(str(tmp_path / "bad.json"))


def test_templates_in_a_recipe_are_checked_and_change_no_row():
    text = '[templates."source:cpp"]\nprompt = "Lower $input"\n'
    read = recipes.parse(text, "r")
    assert read.templates == (("source:cpp", Template(prompt="Lower $input")),)
    assert recipes.parse(read.to_toml(), "again") == read
    assert read.differences(Recipe()) == []
    for bad, message in (
        ('[templates.a]\nprompt = "$inptu"\n', r"templates\.a\.prompt: unknown placeholder '\$inptu'"),
        ('[templates.a]\nprompt = "costs $ 5"\n', r"templates\.a\.prompt: a '\$' stands before no name"),
        ('[templates.a]\ncompletion = "$output"\n', r"templates\.a: has no prompt"),
        ("[templates.a]\nprompt = 5\n", r"templates\.a\.prompt: 5 is not a text"),
        ('[templates.a]\npromt = ""\n', r"unknown recipe key 'templates\.a\.promt': did you mean 'prompt'"),
        ('[templates]\na = "b"\n', r"templates: .* is not a table of tables"),
    ):
        with pytest.raises(UserError, match=message):
            recipes.parse(bad, "r")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_tokens": 5}, "--max-tokens: needs a tokenizer"),
        ({"max_tokens": 0, "tokenizer": "tekken"}, "--max-tokens: 0 is not a positive number"),
        ({"over": "drop"}, "--over: says what becomes of rows over --max-tokens"),
        ({"over": "cut", "max_tokens": 5, "tokenizer": "tekken"}, "--over: 'cut' is not known"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(UserError, match=message):
        Options(**options)
