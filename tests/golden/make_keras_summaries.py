"""Writes keras_summaries.json: what Keras prints for the models of summary_cases. Needs Keras; run from the root of the
repository with `python -m tests.golden.make_keras_summaries`."""

import json
import os
from pathlib import Path

from tests.golden.summary_cases import cases, models


def main():
    import keras

    made, texts = models(keras.layers, keras.Model, keras.Sequential), {}
    for name, columns, options in cases():
        os.environ["COLUMNS"] = str(columns)
        got = []
        made[name].summary(print_fn=lambda text, got=got, **ignored: got.append(text), **options)
        texts[f"{name} {columns} {json.dumps(options)}"] = got[0]
    path = Path(__file__).with_name("keras_summaries.json")
    path.write_text(json.dumps(texts, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
