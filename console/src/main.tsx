// Start of the console: preferences onto the document first, so that nothing flashes in the wrong theme.

import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { applyPreferences } from './preferences.ts'
import { returnToPlace } from './route.ts'
import './style/base.css'
import './style/top.css'
import './style/shell.css'
import './style/alarms.css'
import './style/handling.css'
import './style/devices.css'

// All blinking marks blink together: their animations are counted from the same instant, whenever they began.
document.addEventListener('animationstart', ({ target }) => {
  for (const animation of (target as Element).getAnimations()) animation.startTime = 0
})

applyPreferences()
returnToPlace()
createRoot(document.getElementById('console')!).render(
  <StrictMode>
    <App />
  </StrictMode>
)
