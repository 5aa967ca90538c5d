// What the API tells administrators of people.

export interface Member {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly color: string
  readonly admin: boolean
  /** Seconds since 1970. */
  readonly created: number
  readonly disabled: boolean
}

export interface Invitation {
  readonly id: string
  readonly email: string
  readonly admin: boolean
  readonly inviter: { readonly name: string } | null
  /** Seconds since 1970, as `expires`. */
  readonly created: number
  readonly expires: number
}
