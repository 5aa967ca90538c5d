// Every word the page says, in English and French, and the choice between them.

const english = {
  home: 'Parvis, the welcome document',
  documents: 'Documents',
  copyLink: 'Copy link',
  copied: 'Copied',
  linkCopied: 'Link copied',
  copyByHand: 'Copy this link:',
  here: 'Here now',
  you: 'you',
  guest: 'Guest',
  yourName: 'Your name',
  onePerson: 'Only you are here',
  manyPeople: '{n} people here',
  connecting: 'Connecting…',
  saved: 'Saved',
  saving: 'Saving…',
  unsaved: 'Not saved yet',
  offline: 'Offline',
  viewOnly: 'View only',
  offlineNotice: 'No connection. Keep writing: your changes wait in this tab and will be sent as soon as the server answers.',
  offlineToRead: 'No connection. What others write will appear as soon as the server answers.',
  unsavedNotice: 'The server has not confirmed your latest changes yet. Keep this tab open until you see “Saved”.',
  viewNotice: 'You can read this document but not change it.',
  editor: '{key}, shared text',
  empty: 'Write something. Whoever opens this document sees it as you type, and it is saved as you go.',
  emptyToRead: 'Nobody has written anything here yet.',
  openTitle: 'Open a document',
  openLabel: 'Name',
  openHint: 'To start a new document, keep this name or choose one that nobody has used yet.',
  openEmpty: 'Give the document a name.',
  openLong: 'This name is too long. Make it about {n} characters shorter.',
  recent: 'Opened before',
  open: 'Open',
  cancel: 'Cancel',
  signInTitle: 'Sign in',
  signInText: 'This document is for people who have an account here.',
  signInRefused: 'This link does not open the document: it may have expired or be incomplete. Ask for a new link, or sign in.',
  signInWithout: 'Your account cannot open this document. Open another one, or sign in as someone else.',
  signInKept: 'Sign in to save your latest changes: they are still in this tab.',
  serverSays: 'The server says: {reason}',
  noNameTitle: 'Document not found',
  noNameText: 'This address does not lead to a document. Part of the link may be missing, or the name may be too long.',
  toWelcome: 'Go to the welcome document',
  email: 'E-mail',
  password: 'Password',
  newPassword: 'Choose a password',
  passwordHint: 'A few unrelated words make a good one.',
  signIn: 'Sign in',
  signOut: 'Sign out',
  signOutUnsaved: 'Your latest changes are not saved yet. Sign out and lose them?',
  signedInAs: 'Signed in as {name}',
  setupTitle: 'Welcome to Parvis',
  setupText: 'Create the account that administers this server. This link works once.',
  setupNoSecret: 'This link is incomplete. Copy the whole address that the server printed when it started.',
  setupClosed: 'This link has been used or is incomplete. Sign in, or ask whoever runs this server.',
  name: 'Name',
  create: 'Create the account',
  toSignIn: 'Sign in instead',
  wait: 'One moment…',
  noAnswer: 'The server does not answer. Check your connection and try again.',
  wrongPassword: 'The e-mail address or the password is not right.',
  wrongAccount: 'Please check the name and the e-mail address.',
  emailTaken: 'Another account has this e-mail address.',
  passwordLength: 'The password needs {least} to {most} characters.',
  passwordKnown: 'This password is easy to guess. Choose a few words that nobody would put together.',
  tooMany: 'Too many attempts. Try again in {n} seconds.',
  busy: 'The server cannot do this right now. Try again in a moment.',
  broken: 'Something went wrong on the server. Try again in a moment.',
  strange: 'The server gave an answer that this page does not understand. Try again in a moment.',
  language: 'Français',
}

export type Word = keyof typeof english
type Words = Record<Word, string>

const french: Words = {
  home: 'Parvis, le document d’accueil',
  documents: 'Documents',
  copyLink: 'Copier le lien',
  copied: 'Copié',
  linkCopied: 'Lien copié',
  copyByHand: 'Copiez ce lien\u00a0:',
  here: 'Ici en ce moment',
  you: 'vous',
  guest: 'Invité',
  yourName: 'Votre nom',
  onePerson: 'Il n’y a que vous ici',
  manyPeople: '{n} personnes ici',
  connecting: 'Connexion…',
  saved: 'Enregistré',
  saving: 'Enregistrement…',
  unsaved: 'Non enregistré',
  offline: 'Hors ligne',
  viewOnly: 'Lecture seule',
  offlineNotice: 'Pas de connexion. Continuez à écrire\u00a0: vos modifications attendent dans cet onglet et partiront dès que le serveur répondra.',
  offlineToRead: 'Pas de connexion. Ce que les autres écrivent apparaîtra dès que le serveur répondra.',
  unsavedNotice: 'Le serveur n’a pas encore confirmé vos dernières modifications. Gardez cet onglet ouvert jusqu’à l’affichage de «\u00a0Enregistré\u00a0».',
  viewNotice: 'Vous pouvez lire ce document, mais pas le modifier.',
  editor: '{key}, texte partagé',
  empty: 'Écrivez quelque chose. Toute personne qui ouvre ce document le voit au fil de la frappe, et tout est enregistré à mesure.',
  emptyToRead: 'Personne n’a encore rien écrit ici.',
  openTitle: 'Ouvrir un document',
  openLabel: 'Nom',
  openHint: 'Pour commencer un nouveau document, gardez ce nom ou choisissez-en un qui n’a jamais servi.',
  openEmpty: 'Donnez un nom au document.',
  openLong: 'Ce nom est trop long. Raccourcissez-le d’environ {n} caractères.',
  recent: 'Déjà ouverts',
  open: 'Ouvrir',
  cancel: 'Annuler',
  signInTitle: 'Connexion',
  signInText: 'Ce document est réservé aux personnes qui ont un compte ici.',
  signInRefused: 'Ce lien n’ouvre pas le document\u00a0: il a peut-être expiré ou n’est pas complet. Demandez un nouveau lien ou connectez-vous.',
  signInWithout: 'Votre compte ne peut pas ouvrir ce document. Ouvrez-en un autre ou connectez-vous avec un autre compte.',
  signInKept: 'Connectez-vous pour enregistrer vos dernières modifications\u00a0: elles sont encore dans cet onglet.',
  serverSays: 'Réponse du serveur\u00a0: {reason}',
  noNameTitle: 'Document introuvable',
  noNameText: 'Cette adresse ne mène à aucun document. Il manque peut-être une partie du lien, ou le nom est trop long.',
  toWelcome: 'Aller au document d’accueil',
  email: 'Adresse e-mail',
  password: 'Mot de passe',
  newPassword: 'Choisissez un mot de passe',
  passwordHint: 'Quelques mots sans rapport entre eux font l’affaire.',
  signIn: 'Se connecter',
  signOut: 'Se déconnecter',
  signOutUnsaved: 'Vos dernières modifications ne sont pas encore enregistrées. Se déconnecter et les perdre\u202f?',
  signedInAs: 'Connecté\u00a0: {name}',
  setupTitle: 'Bienvenue dans Parvis',
  setupText: 'Créez le compte qui administre ce serveur. Ce lien ne sert qu’une fois.',
  setupNoSecret: 'Ce lien est incomplet. Copiez toute l’adresse affichée par le serveur à son démarrage.',
  setupClosed: 'Ce lien a déjà servi ou n’est pas complet. Connectez-vous, ou adressez-vous à la personne qui gère ce serveur.',
  name: 'Nom',
  create: 'Créer le compte',
  toSignIn: 'Se connecter plutôt',
  wait: 'Un instant…',
  noAnswer: 'Le serveur ne répond pas. Vérifiez votre connexion et réessayez.',
  wrongPassword: 'L’adresse e-mail ou le mot de passe n’est pas correct.',
  wrongAccount: 'Vérifiez le nom et l’adresse e-mail.',
  emailTaken: 'Un autre compte a déjà cette adresse e-mail.',
  passwordLength: 'Le mot de passe doit compter de {least} à {most} caractères.',
  passwordKnown: 'Ce mot de passe est facile à deviner. Choisissez quelques mots que personne n’associerait.',
  tooMany: 'Trop de tentatives. Réessayez dans {n} secondes.',
  busy: 'Le serveur ne peut pas le faire pour l’instant. Réessayez dans un moment.',
  broken: 'Une erreur s’est produite sur le serveur. Réessayez dans un moment.',
  strange: 'Le serveur a donné une réponse que cette page ne comprend pas. Réessayez dans un moment.',
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
