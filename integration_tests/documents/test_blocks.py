"""How marks in a page are read."""

import tempfile
import unittest
from pathlib import Path

from .blocks import PageError, parse


class BlocksTest(unittest.TestCase):

    def parse(self, text: str):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "page.md"
            path.write_text(text, encoding="utf-8")
            return parse(path)

    def test_takes_the_blocks_that_are_marked_and_no_others(self) -> None:
        page = self.parse("# A\n```\nno\n```\n<!-- runnable -->\n```sh\none\ntwo\n```\n")
        self.assertEqual([(step.line, step.command) for step in page.steps], [(7, "one\ntwo\n")])
        self.assertFalse(page.needs_postgres)

    def test_knows_what_a_block_prints_and_what_happens_in_between(self) -> None:
        page = self.parse("<!-- runnable with postgres -->\n```\necho 1\n```\nSo:\n<!-- prints -->\n"
                          "```\n1\n```\n<!-- meanwhile shop: delete from t -->\n")
        self.assertTrue(page.needs_postgres)
        self.assertEqual(page.steps[0].prints, "1\n")
        self.assertEqual((page.steps[1].keyspace, page.steps[1].statement), ("shop", "delete from t"))

    def test_passes_over_marks_within_blocks(self) -> None:
        self.assertEqual(self.parse("````\n<!-- runnable -->\n```\nno\n```\n````\n").steps, [])

    def test_refuses_marks_that_mean_nothing(self) -> None:
        for text in ("<!-- runnable -->\nno block\n", "<!-- prints -->\n```\nx\n```\n",
                     "<!-- runnable with mysql -->\n```\nx\n```\n",
                     "<!-- runnable -->\n```\nnever closed\n"):
            with self.subTest(text), self.assertRaises(PageError):
                self.parse(text)


if __name__ == "__main__":
    unittest.main()
