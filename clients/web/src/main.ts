// The page: which document is open, who reads it, and what is painted when that changes.
import { canName, documentKey, linkTo, setupSecret, token } from './address'
import { drawColor } from './colors'
import { remember, wireDocuments, wireLink } from './documents'
import { byId } from './dom'
import { openEditor, type Covered, type Editor } from './editor'
import { showNoName, showSetup, showSignIn } from './gate'
import { LightView } from './light'
import { clash, narrow, paintPeople } from './people'
import { OpenRoom, type Person } from './room'
import { currentUser, guest, keepGuest, Refusal, signOut, type User } from './session'
import './style.css'
import { fillWords, say, speak, switchLanguage } from './words'

/** Names longer than this are set smaller, in characters. */
const LONG_NAME = 80

const bar = byId('bar', HTMLElement)
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
/** Documents that nobody looks at any more, until their changes are saved. */
const unsaved = new Map<string, OpenRoom>()
/** Somebody has just asked for the document that comes next: they want to write. */
let isEager = false

function paintWords(): void {
  fillWords(document)
  byId('language', HTMLButtonElement).textContent = say('language')
  byId('language', HTMLButtonElement).lang = document.documentElement.lang === 'en' ? 'fr' : 'en'
  account.textContent = user ? say('signedInAs', { name: user.name }) : ''
  signOutButton.hidden = user === null
  nameForm.hidden = user !== null
  nameInput.value = person.name
  paintTitle()
  link.paint()
  // Where only their icons are shown.
  for (const [id, word] of [['documents-button', 'documents'], ['link-button', 'copyLink']] as const) {
    byId(id, HTMLButtonElement).title = narrow.matches ? say(word) : ''
  }
  shown?.editor.translate()
  paintEveryone()
}

function paintTitle(): void {
  const title = shown?.key ?? gate.querySelector('h1')?.textContent
  document.title = !title ? 'Parvis' : title.includes('Parvis') ? title : `${title} · Parvis`
}

function paintEveryone(): void {
  const awareness = shown?.room.awareness
  if (awareness) paintPeople(awareness, byId('people-button', HTMLButtonElement), byId('people-list', HTMLElement))
}

function onPeople(): void {
  const awareness = shown?.room.awareness
  const taken = awareness && !user ? clash(awareness, person.color) : null
  if (taken) {
    person = keepGuest({ ...person, color: drawColor(taken) })
    shown?.room.introduce(person)
  }
  paintEveryone()
}

/** What of the window lies under the bar and the notice: the cursor must not hide there. */
function covered(): Covered {
  const sticks = getComputedStyle(bar).position === 'sticky'
  const hangs = notice.checkVisibility()
  return {
    top: sticks ? bar.offsetHeight + 8 : 0,
    bottom: hangs ? innerHeight - notice.getBoundingClientRect().top + 8 : 8,
  }
}

function isOpen(open: boolean): void {
  page.hidden = tools.hidden = light.hidden = notice.hidden = !open
  gate.hidden = open
}

function closeDocument(): void {
  if (!shown) return
  const { key, room, editor } = shown
  shown = null
  editor.close()
  if (room.hasUnsaved) {
    unsaved.set(key, room)
    room.leave()
  } else {
    room.close()
  }
}

/** Lets go of what was kept only until it was saved. */
function forget(key: string): void {
  unsaved.get(key)?.close()
  unsaved.delete(key)
}

function openDocument(): void {
  closeDocument()
  const key = documentKey()
  if (!canName(key)) {
    isOpen(false)
    showNoName(gate)
    paintTitle()
    return
  }
  const title = byId('title', HTMLElement)
  title.textContent = title.title = key
  title.classList.toggle('long', key.length > LONG_NAME)
  isOpen(true)
  lightView ??= new LightView(light, byId('light-word', HTMLElement), notice)
  lightView.viewOnly = false
  lightView.show('connecting')
  const room = unsaved.get(key) ?? join(key)
  const isKept = unsaved.delete(key)
  shown = { key, room, editor: openEditor(byId('text', HTMLElement), key, room, covered) }
  if (isKept) room.comeBack(person, token())
  paintTitle()
  paintEveryone()
  if (isEager) shown.editor.view.focus()
  isEager = false
}

function join(key: string): OpenRoom {
  const room: OpenRoom = new OpenRoom(key, token(), person, {
    onLight(now) {
      if (shown?.room === room) {
        lightView?.show(now)
        if (now !== 'connecting' && now !== 'offline') shown.editor.invite()
      } else if (!room.hasUnsaved) {
        forget(key)
      }
    },
    onPeople,
    onAccepted(viewOnly) {
      if (shown?.room !== room) return
      remember(key)
      if (lightView) lightView.viewOnly = viewOnly
      shown.editor.setViewOnly(viewOnly)
    },
    onRefused(reason) {
      if (shown?.room !== room) return
      const isKept = room.hasUnsaved
      closeDocument()
      isOpen(false)
      if (isKept) showSignIn(gate, 'signInKept', '', enter)
      else if (user) showSignIn(gate, 'signInWithout', reason, enter)
      else if (token()) showSignIn(gate, 'signInRefused', reason, enter)
      else showSignIn(gate, 'signInText', '', enter)
      paintTitle()
    },
  })
  return room
}

function become(someone: User | null): void {
  user = someone
  person = someone ?? guest()
  paintWords()
}

function enter(someone: User): void {
  become(someone)
  // A set-up secret is used up now, and a key that was refused must not stand before the session.
  history.replaceState(null, '', setupSecret() === null ? linkTo(documentKey()) : '/')
  isEager = true
  openDocument()
}

const link = wireLink()
wireDocuments(() => {
  if (shown?.key === documentKey()) shown.editor.view.focus()
  else isEager = true
})
speak(paintWords)
byId('language', HTMLButtonElement).addEventListener('click', switchLanguage)
narrow.addEventListener('change', paintWords)
addEventListener('hashchange', () => (setupSecret() === null ? openDocument() : start()))

nameForm.addEventListener('submit', (event) => {
  event.preventDefault()
  byId('people', HTMLElement).hidePopover()
})
byId('people', HTMLElement).addEventListener('beforetoggle', () => (nameInput.value = person.name))
nameInput.addEventListener('input', () => {
  const name = nameInput.value.trim()
  if (!name) return
  person = keepGuest({ ...person, name })
  shown?.room.introduce(person)
})
signOutButton.addEventListener('click', () => void leave())

async function leave(): Promise<void> {
  const isRisky = shown?.room.hasUnsaved === true || unsaved.size > 0
  if (isRisky && !confirm(say('signOutUnsaved'))) return
  try {
    await signOut()
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal
    alert(refusal.message)
    return
  }
  shown?.editor.close()
  shown?.room.close()
  shown = null
  for (const key of unsaved.keys()) forget(key)
  become(null)
  openDocument()
}

async function start(): Promise<void> {
  const secret = setupSecret()
  if (secret !== null) {
    isOpen(false)
    showSetup(gate, secret, enter)
    paintTitle()
    return
  }
  become(await currentUser())
  openDocument()
}

void start()
