"""Import it first in an entry point: while it imports the rest, nothing looks for garbage.

There is none yet, and the looking is a fifth of a start's processor time. `chassis.service.serve`
ends it, and exempts what stays for ever from every later look.
"""

import gc

gc.disable()
