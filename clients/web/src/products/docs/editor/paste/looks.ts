// Whether a plain text was written as Markdown.
//
// Line by line and only the beginning: an expression over a whole text takes hours where somebody
// pastes half a million line breaks.

const SAMPLE = 50_000
const LINE = 1000
/** As long as texts and their lines get that are worth the parser's time. */
const MOST = 1_000_000
const LONGEST_LINE = 20_000

/** Signs that hardly stand in anything else, and signs of which it takes two. */
const CLEAR = [/^#{1,6} +\S/, /\[[^[\]]+\]\((https?:\/\/|mailto:|\/|#)[^\s)]*\)/, /^\s*[-*+] \[[ xX]\] \S/]
const VAGUE = [/\*\*[^\s*][^*]*\*\*/, /(^|\s)`[^`]+`/, /^> +\S/, /^(-{3,}|\*{3,}|_{3,})\s*$/, /(^|\s)~~[^\s~][^~]*~~/, /(^|\s)_[^\s_][^_]*_(\s|$)/]
const FENCE = /^(```|~~~)[\w+#-]*\s*$/
const ROW = /^\|.+\|\s*$/
const RULER = /^\|[\s:|-]+\|\s*$/
const ITEMS = [/^\s*[-*+] +\S/, /^\s*\d{1,9}[.)] +\S/]

export function looksLikeMarkdown(text: string): boolean {
  if (text.length > MOST || hasLongLine(text)) return false
  const lines = text.slice(0, SAMPLE).split(/\r\n?|\n/).map((line) => line.slice(0, LINE))
  const some = (fits: (line: string, next: string) => boolean) => lines.some((line, at) => fits(line, lines[at + 1] ?? ''))
  if (CLEAR.some((sign) => some((line) => sign.test(line)))) return true
  if (some((line, next) => ROW.test(line) && RULER.test(next)) || hasFence(lines)) return true
  // A list alone is enough: everybody means one by it.
  const written = lines.filter((line) => line.trim() !== '')
  if (ITEMS.some((item) => written.some((line, at) => item.test(line) && item.test(written[at + 1] ?? '')))) return true
  return VAGUE.filter((sign) => some((line) => sign.test(line))).length >= 2
}

function hasFence(lines: readonly string[]): boolean {
  const opening = lines.findIndex((line) => FENCE.test(line))
  if (opening === -1) return false
  const sign = lines[opening]!.slice(0, 3)
  return lines.slice(opening + 1).some((line) => line.trimEnd() === sign)
}

function hasLongLine(text: string): boolean {
  let start = 0
  for (let end = text.indexOf('\n'); end !== -1; start = end + 1, end = text.indexOf('\n', start)) {
    if (end - start > LONGEST_LINE) return true
  }
  return text.length - start > LONGEST_LINE
}
