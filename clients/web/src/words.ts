// Every word the page says, in English and French, and the choice between them.

const english = {
  home: 'Parvis, the welcome document',
  documents: 'Documents',
  copyLink: 'Copy link',
  copied: 'Copied',
  copyByHand: 'Copy this link:',
  here: 'Here now',
  you: 'you',
  guest: 'Guest',
  yourName: 'Your name',
  onePerson: 'Only you are here',
  manyPeople: '{n} people here',
  connecting: 'Connecting',
  saved: 'Saved',
  saving: 'Saving…',
  unsaved: 'Not saved yet',
  offline: 'Offline',
  viewOnly: 'View only',
  offlineNotice: 'No connection. Keep writing: your changes wait in this tab and are sent as soon as the server answers.',
  unsavedNotice: 'The server has not confirmed your latest changes. Keep this tab open until it says “Saved”.',
  viewNotice: 'You can read this document but not change it.',
  editor: 'Shared text',
  empty: 'Write something. Everyone who has the link sees it as you type.',
  openTitle: 'Open a document',
  openLabel: 'Name',
  openHint: 'A name nobody has used yet makes a new, empty document.',
  openEmpty: 'Give the document a name.',
  openLong: 'This name is too long: 512 bytes at most, here {n}.',
  recent: 'Opened here before',
  open: 'Open',
  cancel: 'Cancel',
  signInTitle: 'Sign in',
  signInText: 'This document is for people who have an account here.',
  signInRefused: 'The key in this link does not open this document. Ask for a new link, or sign in.',
  signInWithout: 'Your account may not open this document. Open another one, or sign in as someone else.',
  serverSays: 'The server says: {reason}',
  noNameTitle: 'No such document',
  noNameText: 'This address does not name a document. A name has 1 to 512 bytes and no control characters.',
  toWelcome: 'Go to the welcome document',
  email: 'E-mail',
  password: 'Password',
  newPassword: 'Choose a password',
  passwordHint: 'A few unrelated words make a good one.',
  signIn: 'Sign in',
  signOut: 'Sign out',
  signedInAs: 'Signed in as {name}',
  setupTitle: 'Welcome to Parvis',
  setupText: 'Create the administrator of this server. This link works once.',
  setupNoSecret: 'This link is incomplete. Copy the whole address that the server printed when it started.',
  name: 'Name',
  create: 'Create the administrator',
  wait: 'One moment…',
  noAnswer: 'The server does not answer. Check your connection and try again.',
  strange: 'The server gave an answer this page does not understand.',
  language: 'Français',
}

export type Word = keyof typeof english
type Words = Record<Word, string>

const french: Words = {
  home: 'Parvis, le document d’accueil',
  documents: 'Documents',
  copyLink: 'Copier le lien',
  copied: 'Copié',
  copyByHand: 'Copiez ce lien :',
  here: 'Présents',
  you: 'vous',
  guest: 'Invité',
  yourName: 'Votre nom',
  onePerson: 'Vous êtes seul ici',
  manyPeople: '{n} personnes ici',
  connecting: 'Connexion',
  saved: 'Enregistré',
  saving: 'Enregistrement…',
  unsaved: 'Pas encore enregistré',
  offline: 'Hors ligne',
  viewOnly: 'Lecture seule',
  offlineNotice: 'Pas de connexion. Continuez à écrire : vos modifications attendent dans cet onglet et partiront dès que le serveur répondra.',
  unsavedNotice: 'Le serveur n’a pas confirmé vos dernières modifications. Gardez cet onglet ouvert jusqu’à « Enregistré ».',
  viewNotice: 'Vous pouvez lire ce document, mais pas le modifier.',
  editor: 'Texte partagé',
  empty: 'Écrivez quelque chose. Toute personne qui a le lien le voit au fil de la frappe.',
  openTitle: 'Ouvrir un document',
  openLabel: 'Nom',
  openHint: 'Un nom encore jamais utilisé crée un document vide.',
  openEmpty: 'Donnez un nom au document.',
  openLong: 'Ce nom est trop long : 512 octets au plus, ici {n}.',
  recent: 'Déjà ouverts ici',
  open: 'Ouvrir',
  cancel: 'Annuler',
  signInTitle: 'Connexion',
  signInText: 'Ce document est réservé aux personnes qui ont un compte ici.',
  signInRefused: 'La clé de ce lien n’ouvre pas ce document. Demandez un nouveau lien ou connectez-vous.',
  signInWithout: 'Votre compte ne peut pas ouvrir ce document. Ouvrez-en un autre ou connectez-vous avec un autre compte.',
  serverSays: 'Réponse du serveur : {reason}',
  noNameTitle: 'Document introuvable',
  noNameText: 'Cette adresse ne nomme aucun document. Un nom compte de 1 à 512 octets, sans caractère de contrôle.',
  toWelcome: 'Aller au document d’accueil',
  email: 'Adresse e-mail',
  password: 'Mot de passe',
  newPassword: 'Choisissez un mot de passe',
  passwordHint: 'Quelques mots sans rapport entre eux font l’affaire.',
  signIn: 'Se connecter',
  signOut: 'Se déconnecter',
  signedInAs: 'Connecté : {name}',
  setupTitle: 'Bienvenue dans Parvis',
  setupText: 'Créez l’administrateur de ce serveur. Ce lien ne sert qu’une fois.',
  setupNoSecret: 'Ce lien est incomplet. Copiez toute l’adresse affichée par le serveur à son démarrage.',
  name: 'Nom',
  create: 'Créer l’administrateur',
  wait: 'Un instant…',
  noAnswer: 'Le serveur ne répond pas. Vérifiez votre connexion et réessayez.',
  strange: 'Le serveur a donné une réponse que cette page ne comprend pas.',
  language: 'English',
}

const languages = { en: english, fr: french }
type Language = keyof typeof languages

const stored = localStorage.getItem('parvis.language')
let language: Language = isLanguage(stored) ? stored : navigator.language.startsWith('fr') ? 'fr' : 'en'
const listeners: (() => void)[] = []

function isLanguage(value: string | null): value is Language {
  return value !== null && Object.hasOwn(languages, value)
}

/** The text for `word` in the chosen language, its `{slots}` filled. */
export function say(word: Word, slots: Record<string, string | number> = {}): string {
  return languages[language][word].replace(/\{(\w+)\}/g, (_, slot: string) => String(slots[slot] ?? ''))
}

/** Runs `paint` now and after every change of language. */
export function speak(paint: () => void): void {
  listeners.push(paint)
  paint()
}

/** Changes to the other language and remembers it in this browser. */
export function switchLanguage(): void {
  language = language === 'en' ? 'fr' : 'en'
  localStorage.setItem('parvis.language', language)
  for (const paint of listeners) paint()
}

/** Fills every `data-word` and `data-label` below `root`. */
export function fillWords(root: ParentNode): void {
  document.documentElement.lang = language
  for (const node of root.querySelectorAll<HTMLElement>('[data-word]')) {
    node.textContent = say(node.dataset['word'] as Word)
  }
  for (const node of root.querySelectorAll<HTMLElement>('[data-label]')) {
    node.setAttribute('aria-label', say(node.dataset['label'] as Word))
  }
}
