// The gate: the forms that let somebody in (sign in, create the administrator).
import { Refusal, setUp, signIn, type User } from './session'
import { fillWords, say, type Word } from './words'

interface Field {
  name: string
  label: Word
  type: 'email' | 'password' | 'text'
  autocomplete: AutoFill
  hint?: Word
  minLength?: number
}

interface Form {
  title: Word
  text: Word
  submit: Word
  fields: Field[]
  /** A way on for whoever is wrong here. */
  link?: Word
  send(values: Record<string, string>): Promise<User>
}

const EMAIL: Field = { name: 'email', label: 'email', type: 'email', autocomplete: 'username' }

/**
 * Shows the sign-in form in `root`; `text` says why, and `reason` is what the server said, "" for
 * nothing that helps. Calls `done` with who came in.
 */
export function showSignIn(root: HTMLElement, text: Word, reason: string, done: (user: User) => void): void {
  show(root, done, {
    title: 'signInTitle',
    text,
    submit: 'signIn',
    fields: [EMAIL, { name: 'password', label: 'password', type: 'password', autocomplete: 'current-password' }],
    send: (values) => signIn(values['email'] ?? '', values['password'] ?? ''),
  })
  if (!reason) return
  const words = document.createElement('p')
  words.className = 'reason'
  const quoted = Object.assign(document.createElement('span'), { lang: 'en', textContent: reason })
  words.append(say('serverSays', { reason: '' }), quoted)
  root.querySelector('p')?.after(words)
}

/** Says in `root` that the address names no document, with a way on. */
export function showNoName(root: HTMLElement): void {
  const node = document.createElement('div')
  node.className = 'card'
  node.append(said('h1', 'noNameTitle'), said('p', 'noNameText'), wayOn('toWelcome'))
  root.replaceChildren(node)
  root.hidden = false
  fillWords(root)
}

function wayOn(word: Word): HTMLElement {
  const link = said('a', word)
  link.href = '/#welcome'
  return link
}

/** Shows the form of the first start in `root`. Without a secret it only says what is wrong. */
export function showSetup(root: HTMLElement, secret: string, done: (user: User) => void): void {
  show(root, done, {
    title: 'setupTitle',
    text: secret ? 'setupText' : 'setupNoSecret',
    submit: 'create',
    fields: secret
      ? [
          { name: 'name', label: 'name', type: 'text', autocomplete: 'name' },
          EMAIL,
          { name: 'password', label: 'newPassword', type: 'password', autocomplete: 'new-password', hint: 'passwordHint' },
        ]
      : [],
    link: 'toSignIn',
    send: (values) => setUp(secret, values['email'] ?? '', values['name'] ?? '', values['password'] ?? ''),
  })
}

function show(root: HTMLElement, done: (user: User) => void, form: Form): void {
  const node = document.createElement('form')
  node.className = 'card'
  node.append(said('h1', form.title), said('p', form.text))
  for (const field of form.fields) node.append(...row(field))
  const error = document.createElement('p')
  error.className = 'error'
  error.setAttribute('role', 'alert')
  const button = said('button', form.submit)
  button.className = 'main'
  if (form.fields.length > 0) node.append(error, button)
  if (form.link) node.append(wayOn(form.link))

  node.addEventListener('submit', (event) => {
    event.preventDefault()
    const values = Object.fromEntries(Array.from(new FormData(node), ([name, value]) => [name, String(value)]))
    button.disabled = true
    button.textContent = say('wait')
    error.textContent = ''
    form.send(values).then(done, (reason: unknown) => {
      if (!(reason instanceof Refusal)) throw reason
      error.textContent = reason.message
      button.disabled = false
      button.textContent = say(form.submit)
      node.querySelector<HTMLInputElement>('[type=password]')?.focus()
    })
  })
  root.replaceChildren(node)
  root.hidden = false
  fillWords(root)
  node.querySelector('input')?.focus()
}

function row(field: Field): HTMLElement[] {
  const label = said('label', field.label)
  const input = document.createElement('input')
  input.id = label.htmlFor = `gate-${field.name}`
  input.name = field.name
  input.type = field.type
  input.autocomplete = field.autocomplete
  input.required = true
  if (!field.hint) return [label, input]
  const hint = said('p', field.hint)
  hint.className = 'hint'
  hint.id = `${input.id}-hint`
  input.setAttribute('aria-describedby', hint.id)
  return [label, input, hint]
}

function said<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, word: Word): HTMLElementTagNameMap[Tag] {
  const node = document.createElement(tag)
  node.dataset['word'] = word
  return node
}
