// Markdown to HTML; comes when the first Markdown is pasted.
import MarkdownIt from 'markdown-it'
import { safeLink } from '../schema/links'
import { cleanHtml } from './clean'

const reader = new MarkdownIt('default', { html: false, linkify: false, breaks: false })
reader.validateLink = (address) => safeLink(address) !== null

/** The HTML that the schema's rules can read. Raw HTML in the text stays text. */
export function markdownToHtml(text: string): string {
  return cleanHtml(reader.render(text))
}
