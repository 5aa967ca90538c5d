// What stands in a menu.

/** A line between groups, or something to choose. */
export type MenuItem =
  | 'line'
  | {
      readonly label: string
      /** A smaller sentence below the label. */
      readonly hint?: string
      /** Path data of its icon. */
      readonly icon?: string
      readonly keys?: string
      /** Cannot be taken back. */
      readonly danger?: boolean
      readonly disabled?: boolean
      /** One of several, and whether it is the one. */
      readonly checked?: boolean
      /** Where it leads; otherwise `run`. */
      readonly href?: string
      run?(): void
      /** `run` moves the focus: the menu's button does not get it back. */
      readonly moves?: boolean
    }
