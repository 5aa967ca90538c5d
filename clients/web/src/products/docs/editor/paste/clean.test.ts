import { DOMParser as SchemaParser } from '@tiptap/pm/model'
import { describe, expect, test } from 'vitest'
import { contentSchema } from '../binding/headless'
import { cleanHtml, inlineImages } from './clean'
import google from './fixtures/google-docs.html?raw'
import libreoffice from './fixtures/libreoffice.html?raw'
import word from './fixtures/word.html?raw'
import { looksLikeMarkdown } from './looks'
import { markdownToHtml } from './markdown'

const schema = contentSchema()

/** A document in one line: `p` with marks as `bold(…)`. */
function outline(html: string): string[] {
  const body = new DOMParser().parseFromString(html, 'text/html').body
  const doc = SchemaParser.fromSchema(schema).parse(body)
  doc.check()
  return doc.content.content.map((node) => node.toString())
}

describe('what Word puts on the clipboard', () => {
  const blocks = outline(cleanHtml(word))

  test('headings, marks and links are kept, and nothing else', () => {
    expect(blocks[0]).toBe('heading("Report of the harbour")')
    expect(blocks[1]).toBe('paragraph(bold("Important:"), " the wall is ", italic("old"), " and ", underline("cracked"), ", see ", link("the survey"), ".")')
    expect(blocks[2]).toBe('paragraph')
  })

  test('paragraphs that only look like lists become lists', () => {
    expect(blocks[3]).toBe('bulletList(listItem(paragraph("North pier"), bulletList(listItem(paragraph("Lamp ", bold("broken"))))), listItem(paragraph("South pier")))')
    expect(blocks[5]).toBe('orderedList(listItem(paragraph("Measure")), listItem(paragraph("Repair")))')
    expect(cleanHtml(word)).toContain('<ol start="3">')
  })

  test('tables keep their cells, spans and alignment', () => {
    expect(blocks[6]).toBe('table(tableRow(tableCell(paragraph(highlight("Cost")))), tableRow(tableCell(paragraph("H", subscript("2"), "O")), tableCell(paragraph("12"))))')
    expect(cleanHtml(word)).toContain('colspan="2"')
    expect(cleanHtml(word)).toContain('<p align="right">12</p>')
  })

  test('nothing of Word’s own is left', () => {
    expect(cleanHtml(word)).not.toMatch(/mso|style=|class=|<o:|<!--|<span|xml/i)
  })
})

describe('what Google Docs puts on the clipboard', () => {
  const blocks = outline(cleanHtml(google))

  test('the wrapper is not bold, and styles become marks', () => {
    expect(blocks[0]).toBe('heading("The harbour")')
    expect(blocks[1]).toBe('paragraph(bold("Bold"), " and ", italic(underline("both")), strike(" gone"), superscript("2"))')
    expect(blocks[2]).toBe('paragraph(link("a link"), highlight("marked"))')
    expect(cleanHtml(google)).toContain('align="center"')
  })

  test('lists inside lists and checklists are put right', () => {
    expect(blocks[3]).toBe('bulletList(listItem(paragraph("one"), bulletList(listItem(paragraph("deeper")))), listItem(paragraph("two")))')
    expect(blocks[4]).toBe('taskList(taskItem(paragraph(strike("done"))), taskItem(paragraph("open")))')
    expect(cleanHtml(google)).toMatch(/data-checked="true".*data-checked="false"/s)
  })

  test('tables stand by themselves', () => {
    expect(blocks.at(-1)).toMatch(/^table\(tableRow\(tableCell\(paragraph\(bold\("A"\)\)\), tableCell/)
  })
})

test('what LibreOffice puts on the clipboard', () => {
  expect(outline(cleanHtml(libreoffice))).toEqual([
    'heading("Le port")',
    'paragraph(bold("Gras"), ", ", italic("italique"), ", ", underline("souligné"), ", ", strike("barré"), " et ", highlight("surligné"))',
    'orderedList(listItem(paragraph("un"), orderedList(listItem(paragraph("un bis")))), listItem(paragraph("deux")))',
    'table(tableRow(tableHeader(paragraph("Tête")), tableCell(paragraph(hardBreak))))',
  ])
})

test.each([
  '<script>alert(1)</script><p>a</p>',
  '<p onclick="alert(1)">a</p>',
  '<a href="javascript:alert(1)">a</a>',
  '<a href=" java\nscript:alert(1)">a</a>',
  '<a href="data:text/html,<script>alert(1)</script>">a</a>',
  '<svg onload="alert(1)"><text>x</text></svg><p>a</p>',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe><p>a</p>',
  '<img src=x onerror="alert(1)"><p>a</p>',
  '<style>@import url(//evil)</style><p style="background:url(//evil)">a</p>',
  '<form action="javascript:alert(1)"><button>x</button></form><p>a</p>',
])('nothing that could run comes out of %s', (html) => {
  const body = new DOMParser().parseFromString(cleanHtml(html), 'text/html').body
  const doc = SchemaParser.fromSchema(schema).parse(body)
  expect(doc.textContent).toBe('a')
  expect(JSON.stringify(doc.toJSON())).not.toMatch(/script|alert|evil|data:/)
})

test('images that stand in the HTML are taken out as files, others become links', () => {
  const html = '<p>x<img src="data:image/png;base64,iVBORw0KGgo="><img src="https://example.org/i.png" alt="a map"></p>'
  expect(inlineImages(html).map(({ type, size }) => [type, size])).toEqual([['image/png', 8]])
  expect(cleanHtml(html)).toBe('<p>x<a href="https://example.org/i.png">a map</a></p>')
  expect(inlineImages(google)).toEqual([])
  expect(inlineImages('<img src="data:image/svg+xml;base64,PHN2Zz4=">')).toEqual([])
})

test('the editor’s own HTML comes back as it was', () => {
  const html = '<p data-pm-slice="1 1 []" data-id="x">a <span class="mention" data-mention="u1">@Ada</span></p>'
  expect(outline(cleanHtml(html))).toEqual(['paragraph("a ", mention)'])
})

test.each([
  ['# Title\n\ntext', true],
  ['- one\n- two', true],
  ['- [x] done', true],
  ['| a | b |\n|---|---|\n| 1 | 2 |', true],
  ['see [this](https://example.org)', true],
  ['```js\nlet x\n```', true],
  ['**bold** and `code`', true],
  ['just a text', false],
  ['a * b * c', false],
  ['#hashtag and more', false],
  ['2 * 3 = 6 and snake_case_name', false],
  ['Dear Ada,\n\nthank you.\n\n- Bob', false],
])('%j is Markdown: %s', (text, is) => {
  expect(looksLikeMarkdown(text)).toBe(is)
})

test('Markdown becomes what it means, and raw HTML in it stays text', () => {
  const text = '# Title\n\nSome **bold** [link](https://example.org) [bad](javascript:alert(1)) <script>x</script>\n\n- [x] done\n- [ ] open\n\n```python\nprint(1)\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |'
  expect(outline(markdownToHtml(text))).toEqual([
    'heading("Title")',
    'paragraph("Some ", bold("bold"), " ", link("link"), " [bad](javascript:alert(1)) <script>x</script>")',
    'taskList(taskItem(paragraph("done")), taskItem(paragraph("open")))',
    'codeBlock("print(1)")',
    'table(tableRow(tableHeader(paragraph("a")), tableHeader(paragraph("b"))), tableRow(tableCell(paragraph("1")), tableCell(paragraph("2"))))',
  ])
})
