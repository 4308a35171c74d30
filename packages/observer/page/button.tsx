/** A button. */

import type { ComponentChildren } from 'preact'

interface ButtonProps {
  readonly children: ComponentChildren
  readonly onClick?: () => void
  readonly type?: 'button' | 'submit'
  readonly look?: 'plain' | 'main' | 'danger'
  readonly isPressed?: boolean
  readonly isDisabled?: boolean
}

export function Button({
  children,
  onClick,
  type = 'button',
  look = 'plain',
  isPressed,
  isDisabled = false,
}: ButtonProps) {
  return (
    <button
      class={`button ${look}`}
      type={type}
      onClick={onClick}
      aria-pressed={isPressed}
      disabled={isDisabled}
    >
      {children}
    </button>
  )
}
