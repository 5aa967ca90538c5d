// Where the app begins.
import { addMessages, load } from '@i18n'
import '@ui/base.css'
import { mount } from 'svelte'
import { products } from './products'
import { account } from './shell/account.svelte'
import App from './shell/App.svelte'
import { startRouter } from './shell/router.svelte'
import './shell/theme.svelte'
import { startUpdates } from './shell/updates.svelte'

for (const product of products) addMessages(product.id, product.messages)

const target = document.getElementById('app')
if (!target) throw new Error('the page has no #app')

// Without words nothing can be said, not even what is wrong: a failure here is left to the browser.
await Promise.all([load(), account.load()])
startRouter()
mount(App, { target, props: { products } })
startUpdates()
