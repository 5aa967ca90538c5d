// Whether a plain text was written as Markdown.

/** Signs that hardly stand in anything else, and signs of which it takes two. */
const CLEAR = [/^#{1,6} +\S.*$/m, /^(```|~~~)[\w+#-]*\s*$[\s\S]*^\1\s*$/m, /^\|.+\|\s*\n\|[\s:|-]+\|\s*$/m, /\[[^\]\n]+\]\((https?:\/\/|mailto:|\/|#)[^\s)]*\)/, /^\s*[-*+] \[[ xX]\] \S/m]
const VAGUE = [/\*\*[^\s*][^*\n]*\*\*/, /(^|\s)`[^`\n]+`/, /^> +\S/m, /^(\s*[-*+] +\S.*\n){1,}\s*[-*+] +\S/m, /^(\s*\d+[.)] +\S.*\n){1,}\s*\d+[.)] +\S/m, /^(-{3,}|\*{3,}|_{3,})\s*$/m, /(^|\s)~~[^\s~][^~\n]*~~/, /(^|\s)_[^\s_][^_\n]*_(\s|$)/m]

export function looksLikeMarkdown(text: string): boolean {
  if (text.length > 1_000_000) return false
  if (CLEAR.some((sign) => sign.test(text))) return true
  const signs = VAGUE.filter((sign) => sign.test(text))
  // A list alone is enough: everybody means one by it.
  return signs.length >= 2 || signs.some((sign) => sign === VAGUE[3] || sign === VAGUE[4])
}
