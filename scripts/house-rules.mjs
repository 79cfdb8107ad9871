// The house's rules about files, as pure functions over a path and its text, so that they are tested without a tree: how long, what opens a file, which names
// say nothing, and, for AssemblyScript (which the usual linters cannot read), line length and a comment on every export. Each returns its findings.

/** @typedef {{ path: string, line: number, message: string }} Finding */

const maxFileLines = 500;
const maxFunctionLines = 70;
const maxLineWidth = 130;
const emptyNames = /^(utils?|helpers?|managers?|misc|common|stuff)$/i;
const unfinished = /\b(TODO|FIXME|XXX|HACK)\b/;

/**
 * Names of folders and files that could hold anything.
 * @param {string} path
 * @returns {Finding[]}
 */
export function checkNames(path) {
  return path
    .split('/')
    .map((part) => part.replace(/\..*$/, ''))
    .filter((part) => part.split('-').some((word) => emptyNames.test(word)))
    .map((part) => ({ path, line: 1, message: `the name "${part}" could hold anything: name the one idea in it` }));
}

/**
 * Length, opening comment, nothing unfinished.
 * @param {string} path
 * @param {string} text
 * @returns {Finding[]}
 */
export function checkShape(path, text) {
  const lines = text.replace(/\n$/, '').split('\n');
  const findings = [];
  if (lines.length > maxFileLines) {
    findings.push({
      path,
      line: maxFileLines + 1,
      message: `${lines.length} lines; at most ${maxFileLines}: a second idea wants its own file`,
    });
  }
  const opening = lines[0]?.startsWith('#!') ? lines[1] : lines[0];
  if (!/^(\/\/|\/\*)/.test(opening ?? '')) {
    findings.push({
      path,
      line: 1,
      message: 'opens without a comment that says what the file is, why it exists and what it keeps true',
    });
  }
  lines.forEach((line, at) => {
    const found = unfinished.exec(line);
    if (found) findings.push({ path, line: at + 1, message: `${found[1]}: finish it, or open an issue` });
  });
  return findings;
}

const exported = /^export\s+(?:declare\s+)?(?:abstract\s+)?(function|const|let|class|enum|namespace|interface|type)\s+(\w+)/;
const decorator = /^@\w+(\([^)]*\))?\s*/;

/** The line without leading decorators. @param {string} line */
function undecorated(line) {
  let rest = line;
  while (decorator.test(rest)) rest = rest.replace(decorator, '');
  return rest;
}

/** Lines that may stand between a comment and what it documents. @param {string} line */
const isBetween = (line) => line.startsWith('// @ts-ignore') || (decorator.test(line) && undecorated(line) === '');

/**
 * True when the export on a line is documented: by a comment above it or behind it, or by standing in an unbroken row of constants or variables of which an earlier one is.
 * @param {string[]} lines
 * @param {number} at
 */
function isDocumented(lines, at) {
  if (/\/\/ \S/.test(lines[at] ?? '')) return true;
  const constant = /^(export )?(const|let) /.test(undecorated(lines[at] ?? ''));
  for (let above = at - 1; above >= 0; above--) {
    const line = lines[above] ?? '';
    if (isBetween(line)) continue;
    if (/^\s*(\/\/|\*\/|\/\*\*)/.test(line) || /\*\/\s*$/.test(line)) return true;
    if (!(constant && /^(export )?(const|let) .*;/.test(undecorated(line)))) return false;
  }
  return false;
}

/**
 * Functions that start at the margin and are longer than the rule.
 * @param {string} path
 * @param {string[]} lines
 * @returns {Finding[]}
 */
function longFunctions(path, lines) {
  const findings = [];
  let name = '';
  let start = -1;
  for (const [at, raw] of lines.entries()) {
    const opened = /^(?:export\s+)?function\s+(\w+)/.exec(undecorated(raw));
    if (opened?.[1]) [name, start] = [opened[1], at];
    if (start < 0 || !(raw.startsWith('}') || (at === start && /}\s*$/.test(raw)))) continue;
    const length = at - start + 1;
    if (length > maxFunctionLines) {
      findings.push({ path, line: start + 1, message: `function ${name} has ${length} lines; at most ${maxFunctionLines}` });
    }
    start = -1;
  }
  return findings;
}

/**
 * What the linter does for TypeScript, for AssemblyScript.
 * @param {string} path
 * @param {string} text
 * @returns {Finding[]}
 */
export function checkAssemblyScript(path, text) {
  const lines = text.replace(/\n$/, '').split('\n');
  const findings = longFunctions(path, lines);
  lines.forEach((line, at) => {
    if (line.length > maxLineWidth)
      findings.push({ path, line: at + 1, message: `${line.length} characters wide; at most ${maxLineWidth}` });
    const found = exported.exec(undecorated(line));
    if (found && !isDocumented(lines, at))
      findings.push({ path, line: at + 1, message: `export ${found[2]} has no comment above it` });
  });
  return findings;
}

/**
 * Prints findings as `path:line message` and gives the exit code.
 * @param {string} title
 * @param {Finding[]} findings
 * @param {number} files
 */
export function report(title, findings, files) {
  for (const { path, line, message } of findings) console.error(`${path}:${line} ${message}`);
  console.log(`${title}: ${files} files, ${findings.length === 0 ? 'nothing to mend' : `${findings.length} to mend`}`);
  return findings.length === 0 ? 0 : 1;
}
