"""The kinds of steps that work on files: `remove`, `mkdir`, `write` and so on."""

from linkage.case import steps as model
from linkage.plan import operations
from linkage.plan.steps.kind import OperationKind
from linkage.plan.steps.scope import Scope


class RemoveKind(OperationKind[model.RemoveStep]):
    keys = model.RemoveStep

    def operation(self, step: model.RemoveStep, scope: Scope) -> operations.Remove:
        return operations.Remove(tuple(map(scope.subject, step.remove)))


class MkdirKind(OperationKind[model.MkdirStep]):
    keys = model.MkdirStep

    def operation(self, step: model.MkdirStep, scope: Scope) -> operations.MakeFolders:
        return operations.MakeFolders(tuple(map(scope.subject, step.mkdir)))


class WriteKind(OperationKind[model.WriteStep]):
    keys = model.WriteStep

    def operation(self, step: model.WriteStep, scope: Scope) -> operations.Write:
        content = scope.text(step.text or "") if step.hex_ is None else bytes.fromhex(step.hex_)
        return operations.Write(scope.subject(step.write), content, step.offset)


class TruncateKind(OperationKind[model.TruncateStep]):
    keys = model.TruncateStep

    def operation(self, step: model.TruncateStep, scope: Scope) -> operations.Truncate:
        return operations.Truncate(scope.subject(step.truncate), step.size)


class RenameKind(OperationKind[model.RenameStep]):
    keys = model.RenameStep

    def operation(self, step: model.RenameStep, scope: Scope) -> operations.Rename:
        return operations.Rename(scope.subject(step.rename), scope.subject(step.to))

    def produce(self, step: model.RenameStep, scope: Scope) -> tuple[str, ...]:
        scope.outputs.rename(scope.subject(step.rename), scope.subject(step.to))
        return ()


class SymlinkKind(OperationKind[model.SymlinkStep]):
    keys = model.SymlinkStep

    def operation(self, step: model.SymlinkStep, scope: Scope) -> operations.Symlink:
        return operations.Symlink(scope.subject(step.symlink), scope.subject(step.to))


class CopyKind(OperationKind[model.CopyStep]):
    keys = model.CopyStep

    def operation(self, step: model.CopyStep, scope: Scope) -> operations.Copy:
        source = scope.toolchain_or_inside(scope.subject(step.copy_))
        return operations.Copy(source, scope.subject(step.to))


class ChmodKind(OperationKind[model.ChmodStep]):
    keys = model.ChmodStep

    def operation(self, step: model.ChmodStep, scope: Scope) -> operations.ChangeMode:
        return operations.ChangeMode(scope.subject(step.chmod), step.mode)


class UmaskKind(OperationKind[model.UmaskStep]):
    keys = model.UmaskStep

    def operation(self, step: model.UmaskStep, scope: Scope) -> operations.SetUmask:
        _ = scope
        return operations.SetUmask(step.umask)


class CleanKind(OperationKind[model.CleanStep]):
    keys = model.CleanStep

    def operation(self, step: model.CleanStep, scope: Scope) -> operations.Clean:
        return operations.Clean(tuple(map(scope.subject, step.keep)))
