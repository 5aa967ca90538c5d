// The languages of code blocks, by the names that highlight.js knows them by.

const NAMES: Record<string, string> = {
  bash: 'Bash',
  c: 'C',
  cpp: 'C++',
  csharp: 'C#',
  css: 'CSS',
  diff: 'Diff',
  go: 'Go',
  graphql: 'GraphQL',
  ini: 'INI, TOML',
  java: 'Java',
  javascript: 'JavaScript',
  json: 'JSON',
  kotlin: 'Kotlin',
  less: 'Less',
  lua: 'Lua',
  makefile: 'Makefile',
  markdown: 'Markdown',
  objectivec: 'Objective-C',
  perl: 'Perl',
  php: 'PHP',
  python: 'Python',
  r: 'R',
  ruby: 'Ruby',
  rust: 'Rust',
  scss: 'SCSS',
  shell: 'Shell',
  sql: 'SQL',
  swift: 'Swift',
  typescript: 'TypeScript',
  vbnet: 'Visual Basic',
  wasm: 'WebAssembly',
  xml: 'HTML, XML',
  yaml: 'YAML',
}

/** Other names people write after the backticks. */
const ALIASES: Record<string, string> = {
  'c++': 'cpp',
  'c#': 'csharp',
  cs: 'csharp',
  html: 'xml',
  js: 'javascript',
  jsx: 'javascript',
  kt: 'kotlin',
  md: 'markdown',
  py: 'python',
  rb: 'ruby',
  rs: 'rust',
  sh: 'bash',
  toml: 'ini',
  ts: 'typescript',
  tsx: 'typescript',
  yml: 'yaml',
  zsh: 'bash',
}

export const LANGUAGES: readonly { id: string; name: string }[] = Object.entries(NAMES).map(([id, name]) => ({ id, name }))

/** The grammar's name of what stands in the document; null if there is none. */
export function grammarOf(language: string): string | null {
  const name = language.toLowerCase()
  const known = ALIASES[name] ?? name
  return Object.hasOwn(NAMES, known) ? known : null
}

/** How people read it; what we do not know stays as it was written. */
export function languageName(language: string): string {
  const grammar = grammarOf(language)
  return grammar === null ? language : NAMES[grammar]!
}
