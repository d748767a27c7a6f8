from django.apps import AppConfig


class WorkspaceConfig(AppConfig):
    name = "workspace"
    verbose_name = "Workspace"

    def ready(self) -> None:
        # Models can be imported only now.
        from stores.records.registry import register
        from workspace.bigagi import AGI_CLIENT_WORKSPACE, AGI_LIVE_FILE

        register(AGI_CLIENT_WORKSPACE)
        register(AGI_LIVE_FILE)
