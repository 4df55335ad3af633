"""Settings of an Obhut installation, read from the environment; the defaults are safe for production.

One file a topic. Whoever reads settings reads them here: `config.settings`, or `django.conf.settings`.
"""

from config.settings.environment import *  # noqa: F403
from config.settings.files import *  # noqa: F403
from config.settings.jobs import *  # noqa: F403
from config.settings.mailing import *  # noqa: F403
from config.settings.project import *  # noqa: F403
from config.settings.servers import *  # noqa: F403
from config.settings.signing_in import *  # noqa: F403
from config.settings.transport import *  # noqa: F403
