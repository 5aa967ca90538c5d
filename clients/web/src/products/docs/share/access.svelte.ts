// Who may do what with a document or a space, as the server said last, and how that is changed.
import { report } from '@shell/refusals'
import * as docs from '../api'

/** Somebody with an account, or an address that was invited. */
export type Whom = { readonly user: string } | { readonly email: string }

export class Access {
  readonly of: docs.Shareable
  sharing = $state.raw<docs.Sharing | null>(null)
  failed = $state.raw<unknown>(null)
  isBusy = $state(false)

  constructor(of: docs.Shareable) {
    this.of = of
  }

  async load(): Promise<void> {
    try {
      this.sharing = await docs.showSharing(this.of)
      this.failed = null
    } catch (error) {
      this.failed = error
    }
  }

  /** Does `work`; false and an error shown, which begins with `what`, if it fails. */
  async doing(what: string, work: () => Promise<void>): Promise<boolean> {
    this.isBusy = true
    try {
      await work()
      return true
    } catch (error) {
      report(error, what)
      return false
    } finally {
      this.isBusy = false
    }
  }

  /** Gives a role, and with it the sight of it. Throws `Refusal`. */
  async give(whom: Whom, role: docs.Role, message = ''): Promise<void> {
    this.sharing = await docs.giveRole(this.of, whom, role, message)
  }
}
