"""A reason that never ends by itself is told apart from those that do, among all that SLURM has."""

import re

import pytest

from bnbench.cluster import reasons


def words(text):
    return text.split()


# All that SLURM 22.05 has, in the order of its source, and some that later versions have added.
NAMES = words("""
None Priority Dependency Resources Licenses Prolog Reservation Cleaning
PartitionNodeLimit PartitionTimeLimit PartitionDown PartitionInactive JobHeldAdmin JobHeldUser BeginTime
AssociationJobLimit AssociationResourceLimit AssociationTimeLimit ReqNodeNotAvail FrontEndDown SchedDefer NodeDown
BadConstraints SystemFailure JobLaunchFailure NonZeroExitCode InvalidAccount InvalidQOS QOSUsageThreshold QOSJobLimit
QOSResourceLimit QOSTimeLimit QOSNotAllowed AccountNotAllowed DependencyNeverSatisfied QOSGrpCpuLimit
QOSGrpCPUMinutesLimit QOSGrpCPURunMinutesLimit QOSGrpJobsLimit QOSGrpMemLimit QOSGrpNodeLimit QOSGrpSubmitJobsLimit
QOSGrpWallLimit QOSMaxCpuPerJobLimit QOSMaxCpuMinutesPerJobLimit QOSMaxNodePerJobLimit QOSMaxWallDurationPerJobLimit
QOSMaxCpuPerUserLimit QOSMaxJobsPerUserLimit QOSMaxNodePerUserLimit QOSMaxSubmitJobPerUserLimit QOSMinCpuNotSatisfied
AssocGrpCpuLimit AssocGrpCPUMinutesLimit AssocGrpCPURunMinutesLimit AssocGrpJobsLimit AssocGrpMemLimit
AssocGrpNodeLimit AssocGrpSubmitJobsLimit AssocGrpWallLimit AssocMaxJobsLimit AssocMaxCpuPerJobLimit
AssocMaxCpuMinutesPerJobLimit AssocMaxNodePerJobLimit AssocMaxSubmitJobLimit AssocMaxWallDurationPerJobLimit
JobHoldMaxRequeue JobArrayTaskLimit BurstBufferResources BurstBufferStageIn BurstBufferOperation PowerNotAvail
PowerReserved AssocMaxCpuPerNode AssocGrpMemMinutes AssocGrpMemRunMinutes AssocMaxMemPerJob AssocMaxMemPerNode
AssocMaxMemMinutesPerJob AssocGrpNodeMinutes AssocMaxNodeMinutesPerJob AssocMaxEnergyPerJob AssocGrpGRES
AssocGrpGRESMinutes AssocGrpGRESRunMinutes AssocMaxGRESPerJob AssocMaxGRESPerNode AssocMaxGRESMinutesPerJob
AssocGrpLicense AssocMaxLicensePerJob AssocMaxBillingPerJob QOSMaxCpuPerNode QOSGrpMemoryMinutes
QOSGrpMemoryRunMinutes QOSMaxMemoryPerJob QOSMaxMemoryPerNode QOSMaxMemoryPerUser QOSMaxMemoryMinutesPerJob
QOSMinMemory QOSGrpNodeMinutes QOSMaxNodeMinutesPerJob QOSMinNode QOSGrpGRES QOSGrpGRESMinutes QOSGrpGRESRunMinutes
QOSMaxGRESPerJob QOSMaxGRESPerNode QOSMaxGRESPerUser QOSMaxGRESMinutesPerJob QOSMinGRES QOSMaxLicensePerJob
QOSMaxBillingPerUser ReservationDeleted DeadLine MaxMemPerLimit MaxJobsPerAccount MaxCpuPerAccount PartitionConfig
""")
HOPELESS = words("""
PartitionNodeLimit PartitionTimeLimit BadConstraints PartitionConfig InvalidAccount InvalidQOS QOSNotAllowed
AccountNotAllowed DependencyNeverSatisfied ReservationDeleted DeadLine MaxMemPerLimit
""")
ORDINARY = words("""
None Priority Dependency Resources Licenses Prolog Reservation Cleaning BeginTime SchedDefer SystemFailure
JobLaunchFailure NonZeroExitCode JobArrayTaskLimit BurstBufferResources BurstBufferStageIn BurstBufferOperation
PowerNotAvail PowerReserved
""")


@pytest.mark.parametrize("name", NAMES)
def test_what_never_ends_by_itself_is_told_apart(name):
    of_one_job = re.fullmatch(r"(QOS|Assoc)(Max.*Per(Job|Node)(Limit)?|Min.*)", name)
    found = reasons.meant(name)
    assert found.hopeless == (name in HOPELESS or bool(of_one_job))
    assert bool(found.advice) == (name not in ORDINARY)


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("PartitionTimeLimit", "runtime"),
        ("QOSMaxWallDurationPerJobLimit", "runtime"),
        ("AssocMaxCpuMinutesPerJobLimit", "runtime"),
        ("QOSMaxMemoryPerJob", "mem_mb"),
        ("AssocMaxMemPerNode", "mem_mb"),
        ("QOSMaxGRESPerJob", "gpu"),
        ("QOSMaxCpuPerJobLimit", "qos"),
        ("QOSMinMemory", "qos"),
        ("InvalidAccount", "slurm_account"),
        ("ReqNodeNotAvail, UnavailableNodes:cpu01", "slurm_partition"),
        ("ReqNodeNotAvail, Reserved for maintenance", "slurm_partition"),
        ("PartitionDown", "slurm_partition"),
    ],
)
def test_the_advice_names_the_entry_of_the_profile_that_the_reason_is_about(name, resource):
    assert reasons.meant(name).resource == resource


def test_a_held_job_may_be_released():
    for name in ("JobHeldUser", "launch failed requeued held", "launch_failed_requeued_held"):
        assert "scontrol release" in reasons.meant(name).advice
        assert not reasons.meant(name).hopeless
