// The page: which document is open, who reads it, and what is painted when that changes.
import { canName, documentKey, setupSecret, token } from './address'
import { remember, wireDocuments, wireLink } from './documents'
import { byId } from './dom'
import { openEditor, type Editor } from './editor'
import { showNoName, showSetup, showSignIn } from './gate'
import { LightView } from './light'
import { clash, drawColor, narrow, paintPeople } from './people'
import { OpenRoom, type Person } from './room'
import { currentUser, guest, keepGuest, signOut, type User } from './session'
import './style.css'
import { fillWords, say, speak, switchLanguage } from './words'

const page = byId('page', HTMLElement)
const gate = byId('gate', HTMLElement)
const tools = byId('tools', HTMLElement)
const light = byId('light', HTMLElement)
const notice = byId('notice', HTMLElement)
const nameForm = byId('name-form', HTMLFormElement)
const nameInput = byId('name', HTMLInputElement)
const account = byId('account', HTMLElement)
const signOutButton = byId('sign-out', HTMLButtonElement)

let user: User | null = null
let person: Person = guest()
let shown: { key: string; room: OpenRoom; editor: Editor } | null = null
let lightView: LightView | null = null

function paintWords(): void {
  fillWords(document)
  byId('language', HTMLButtonElement).textContent = say('language')
  byId('language', HTMLButtonElement).lang = document.documentElement.lang === 'en' ? 'fr' : 'en'
  account.textContent = user ? say('signedInAs', { name: user.name }) : ''
  signOutButton.hidden = user === null
  nameForm.hidden = user !== null
  nameInput.value = person.name
  link.paint()
  shown?.editor.translate()
  paintEveryone()
}

function paintEveryone(): void {
  const awareness = shown?.room.provider.awareness
  if (awareness) paintPeople(awareness, byId('people-button', HTMLButtonElement), byId('people-list', HTMLElement))
}

function onPeople(): void {
  const awareness = shown?.room.provider.awareness
  const taken = awareness && !user ? clash(awareness, person.color) : null
  if (taken) {
    person = keepGuest({ ...person, color: drawColor(taken) })
    shown?.room.introduce(person)
  }
  paintEveryone()
}

function isOpen(open: boolean): void {
  page.hidden = tools.hidden = light.hidden = notice.hidden = !open
  gate.hidden = open
}

function closeDocument(): void {
  shown?.editor.close()
  shown?.room.close()
  shown = null
}

function openDocument(): void {
  closeDocument()
  const key = documentKey()
  if (!canName(key)) {
    isOpen(false)
    showNoName(gate)
    return
  }
  byId('title', HTMLElement).textContent = key
  document.title = `${key} · Parvis`
  isOpen(true)
  lightView ??= new LightView(light, byId('light-word', HTMLElement), notice)
  lightView.show('connecting')
  const view = lightView
  const room = new OpenRoom(key, token(), person, {
    onLight: (now) => view.show(now),
    onPeople,
    onAccepted(viewOnly) {
      remember(key)
      shown?.editor.setViewOnly(viewOnly)
    },
    onRefused(reason) {
      closeDocument()
      isOpen(false)
      if (user) showSignIn(gate, 'signInWithout', reason, enter)
      else if (token()) showSignIn(gate, 'signInRefused', reason, enter)
      else showSignIn(gate, 'signInText', '', enter)
    },
  })
  shown = { key, room, editor: openEditor(byId('text', HTMLElement), room) }
  paintEveryone()
}

function become(someone: User | null): void {
  user = someone
  person = someone ?? guest()
  paintWords()
}

function enter(someone: User): void {
  become(someone)
  if (setupSecret() !== null) history.replaceState(null, '', '/')
  openDocument()
}

const link = wireLink()
wireDocuments()
speak(paintWords)
byId('language', HTMLButtonElement).addEventListener('click', switchLanguage)
narrow.addEventListener('change', paintEveryone)
addEventListener('hashchange', () => (setupSecret() === null ? openDocument() : start()))

nameForm.addEventListener('submit', (event) => {
  event.preventDefault()
  byId('people', HTMLElement).hidePopover()
})
nameInput.addEventListener('input', () => {
  const name = nameInput.value.trim()
  if (!name) return
  person = keepGuest({ ...person, name })
  shown?.room.introduce(person)
})
signOutButton.addEventListener('click', () => {
  void signOut().then(() => {
    become(null)
    openDocument()
  })
})

async function start(): Promise<void> {
  const secret = setupSecret()
  if (secret !== null) {
    isOpen(false)
    showSetup(gate, secret, enter)
    return
  }
  become(await currentUser())
  openDocument()
}

void start()
