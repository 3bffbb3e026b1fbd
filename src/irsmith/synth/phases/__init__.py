"""Phases: the steps that kernels are put together from. Each reads values in scope and adds new ones."""
