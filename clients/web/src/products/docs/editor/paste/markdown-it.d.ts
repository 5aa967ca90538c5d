// What we use of markdown-it, which brings no types.
declare module 'markdown-it' {
  export default class MarkdownIt {
    constructor(preset: 'default', options: { html: boolean; linkify: boolean; breaks: boolean })
    validateLink: (address: string) => boolean
    render(text: string): string
  }
}
